// Membership: a doctor's procedures, the offices' desks, the members on a day.
import { addTexts } from '../text/messages';
import { office } from '../text/office';

addTexts(office);

export { DeskPage, FileForPage, MembersPage } from './desk';
export { DeskOnePage } from './desk_one';
export { FilePage, MyMembershipPage, MyProcedurePage } from './my_membership';
export { MergeOnePage, MergesPage } from './merges';
export { TrainingForPage, TrainingPage } from './training';
