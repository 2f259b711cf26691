// The worker's workflow bundle starts here: every export is a workflow type, and nothing else may be exported.
// Workflows decide and wait; what touches the world is in activities/, what they decide by is in workflows/rules/.
export { connectionSync } from './connection-sync';
export { evidence } from './evidence';
export { findingLifecycle } from './finding-lifecycle';
export { groupedIssues } from './grouped-issues';
export { maintenance } from './maintenance';
export { pushBatch } from './push-batch';
export { rerunSession } from './rerun-session';
