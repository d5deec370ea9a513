// Delegates, and what people may do with their own data.
import { addTexts } from '../text/messages';
import { privacy } from '../text/privacy';

addTexts(privacy);

export { CorrectionsPage, MyCorrectionsPage } from './corrections';
export { DataPage } from './data';
export { DelegatesPage } from './delegates';
export { DelegationPage, DelegationsPage } from './delegations';
export { ReissuesPage } from './reissues';
