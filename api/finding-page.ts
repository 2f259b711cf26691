import { Router } from 'express';

/**
 * Where the link on a Jira issue leads. Anybody may open it, so it says nothing of the finding but its number: what is
 * known of it is seen in Slack and over the HTTP API, by those who may.
 */
export function createFindingPage({ command, baseUrl }: { command: string; baseUrl: string }): Router {
  const router = Router();
  router.get('/findings/:id', (req, res, next) => {
    const id = /^F-[1-9]\d{0,8}$/.exec(req.params.id)?.[0];
    if (!id) return next();
    const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${id} - Recheck</title></head>
<body><main>
<h1>Finding ${id}</h1>
<p>In Slack, type <code>${command} status ${id}</code> to see where it stands, or <code>${command} why ${id}</code> for its history.</p>
<p>Over HTTP: <a href="${baseUrl}/docs">GET /api/v1/findings/${id}</a>, with an API key.</p>
</main></body>
</html>
`;
    return res.type('html').send(page);
  });
  return router;
}
