// What the national office and the call centre do on the accounts of others.
export { LinksPage } from './links';
export { SignupOnePage, SignupsPage } from './signups';
