import { defineSignal, defineUpdate } from '@temporalio/workflow';

export const bareQueue = 'bare';
export const bareJiraQueue = 'bare-jira';
export const barePush = defineUpdate<void, []>('push');
export const bareChanged = defineSignal('jiraChanged');
export const bareVerdict = defineSignal('verdict');
export const bareVerdicts = defineUpdate<void, [string[]]>('verdicts');

/** `upserts` of search attributes: at each change as the product does, or at two of them. */
export type LifeInput = { settleMs: number; upserts: 'each' | 'two' };
