// What offices review.
export { ReviewPage } from './review';
export { ReviewOnePage } from './review_one';
