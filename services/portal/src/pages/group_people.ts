// Members' data, and who looked at it: now and then, and by few.
export { MemberPage } from './member';
export { ReadsPage } from './reads';
export { StaffPage } from './staff';
export { TokensPage } from './tokens';
