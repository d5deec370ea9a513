// Members' data, and who looked at it: now and then, and by few.
import { addTexts } from '../text/messages';
import { office } from '../text/office';
import { people } from '../text/people';

addTexts(office);
addTexts(people);

export { MemberPage } from './member';
export { ReadsPage } from './reads';
export { StaffPage } from './staff';
export { TokensPage } from './tokens';
