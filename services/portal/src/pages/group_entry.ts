// The way in: what people see once, or when something went wrong.
import { addTexts } from '../text/messages';
import { people } from '../text/people';

addTexts(people);

export { AccountPage } from './account';
export { FirstLoginPage } from './first_login';
export { LinkPage } from './link';
export { ResetPage, StartPage } from './start';
