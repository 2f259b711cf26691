import { type Stack, startStack } from '../support/stack';
let stack: Stack;
beforeAll(async () => { const t = Date.now(); stack = await startStack(); console.log('start', Date.now() - t); });
afterAll(async () => { const t = Date.now(); await stack?.stop(); console.log('stop', Date.now() - t); });
it('x', async () => { console.log(JSON.stringify(await stack.api('GET', '/api/v1/sources'))); });
