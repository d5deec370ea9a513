// What the national office and the call centre do on the accounts of others.
import { addTexts } from '../text/messages';
import { office } from '../text/office';

addTexts(office);

export { AccountDeskPage } from './account_desk';
export { LinksPage } from './links';
export { SignupOnePage, SignupsPage } from './signups';
