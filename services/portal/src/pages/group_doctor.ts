// What doctors open now and then.
import { addTexts } from '../text/messages';
import { office } from '../text/office';
import { people } from '../text/people';

addTexts(office);
addTexts(people);

export { CertificatesPage } from './certificates';
export { CreditPage } from './credit';
export { HandbookPage } from './handbook';
export { ApplyPage, MyApplicationPage, MyApplicationsPage } from './my_applications';
export { MyReadsPage } from './my_reads';
export { ProfilePage } from './profile';
