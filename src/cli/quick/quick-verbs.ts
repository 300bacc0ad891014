/** The commands of wg-quick. */
export type QuickVerb = 'up' | 'down' | 'save' | 'strip';

export const QUICK_VERBS: readonly QuickVerb[] = ['up', 'down', 'save', 'strip'];
