// What the national office and the call centre do on the accounts of others.
export { AccountDeskPage } from './account_desk';
export { LinksPage } from './links';
export { SignupOnePage, SignupsPage } from './signups';
