// Second factors and sessions: seen by few, and seldom.
export { ProveAgain } from './prove_again';
export { SecondStepForm, SecondStepPage } from './second_step';
export { SecurityPage } from './security';
