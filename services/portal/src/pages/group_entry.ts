// The way in: what people see once, or when something went wrong.
export { AccountPage } from './account';
export { FirstLoginPage } from './first_login';
export { LinkPage } from './link';
export { ResetPage, StartPage } from './start';
