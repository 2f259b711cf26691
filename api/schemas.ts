// Every shape of the HTTP API, once: requests are checked with these, and the OpenAPI document is made from them.

export * from './schemas/connections';
export * from './schemas/findings';
export * from './schemas/members';
export * from './schemas/pushes';
export * from './schemas/shared';
export * from './schemas/sources';
export * from './schemas/verification';
