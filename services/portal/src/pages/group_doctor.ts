// What doctors open now and then.
export { CertificatesPage } from './certificates';
export { CreditPage } from './credit';
export { HandbookPage } from './handbook';
export { ApplyPage, MyApplicationPage, MyApplicationsPage } from './my_applications';
export { MyReadsPage } from './my_reads';
export { ProfilePage } from './profile';
