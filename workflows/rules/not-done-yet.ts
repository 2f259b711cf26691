/** A run took an update and has not ended it in time: it goes on by itself. */
export class NotDoneYet extends Error {
  override readonly name = 'NotDoneYet';
}
