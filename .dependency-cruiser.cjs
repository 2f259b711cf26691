// Which folder may import which. In one sentence: folders know each other's types; only entry files and the pure
// rules are imported for real. Checked by `npm run check`.

/** What is safe everywhere, because nothing in it leaves the process. */
const PURE = '^workflows/((sync-)?contract\\.ts$|rules/)';
/** The places where the folders are joined. */
const ENTRIES = '^(activities/worker|api/main|api/admin-main)\\.ts$';
/** Generated, and in its own way. */
const GENERATED = '^prisma/generated/';

/** Run-time imports of `from` into this repository are confined to `to`; npm packages and built-ins are free. */
function onlyReaches({ from, to, pathNot }) {
  const name = `${from}-reaches-only-its-own`;
  const comment = `${from}/ may import at run time only itself, the contract and the rules.`;
  return {
    name,
    comment,
    severity: 'error',
    from: { path: `^${from}/`, pathNot: [ENTRIES, GENERATED, ...(pathNot ?? [])] },
    to: {
      path: '^(activities|api|bot|local|prisma|test|workflows)/',
      pathNot: [`^${from}/`, ...to],
      dependencyTypesNot: ['type-only'],
    },
  };
}

/** `from` may not even know the types of `to`. */
function neverKnows({ from, to, except = [] }) {
  return {
    name: `${from}-never-knows-${to.join('-')}`,
    comment: `${from}/ may not import ${to.join(', ')}, not even as types.`,
    severity: 'error',
    from: { path: `^${from}/`, pathNot: [ENTRIES, GENERATED] },
    to: { path: `^(${to.join('|')})/`, pathNot: except },
  };
}

module.exports = {
  forbidden: [
    onlyReaches({ from: 'workflows', to: [] }),
    onlyReaches({ from: 'prisma', to: [PURE] }),
    onlyReaches({ from: 'activities', to: [PURE] }),
    onlyReaches({ from: 'api', to: [PURE] }),
    onlyReaches({ from: 'bot', to: [PURE] }),
    neverKnows({ from: 'workflows', to: ['api', 'bot', 'local', 'prisma'] }),
    neverKnows({ from: 'prisma', to: ['activities', 'api', 'bot', 'local'] }),
    neverKnows({ from: 'activities', to: ['api', 'bot', 'local'] }),
    neverKnows({ from: 'api', to: ['bot', 'local'] }),
    neverKnows({ from: 'bot', to: ['activities', 'local', 'prisma'] }),
    {
      name: 'workflows-stay-pure',
      comment: 'Workflow code runs in a sandbox: no built-ins, and of npm only what Temporal gives workflows.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        path: '.',
        pathNot: ['^workflows/', '^activities/', 'node_modules/@temporalio/(workflow|common)/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'activities-index-alone-is-known-to-workflows',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: '^activities/', pathNot: '^activities/index\\.ts$' },
    },
    {
      name: 'workflow-files-are-named-not-imported',
      comment: 'The worker names the workflows by path; everybody else knows the contract and the rules.',
      severity: 'error',
      from: { path: '^(activities|api|bot|local|prisma)/', pathNot: GENERATED },
      to: { path: '^workflows/', pathNot: PURE },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'entries-import-local-never',
      comment: 'What a laptop needs, production does not have.',
      severity: 'error',
      from: { path: ENTRIES },
      to: { path: '^(local|test)/' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: { pathNot: GENERATED },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    // Child processes of tests load what the build made, which need not be there yet.
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '(^|/)dist/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^dist/|^test/fixtures/|^local/sandbox/[^/]+/page/|^local/demo-reports/)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
