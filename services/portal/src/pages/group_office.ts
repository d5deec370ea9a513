// What offices review.
import { addTexts } from '../text/messages';
import { office } from '../text/office';

addTexts(office);

export { ReviewPage } from './review';
export { ReviewOnePage } from './review_one';
