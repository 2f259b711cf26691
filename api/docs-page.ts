import { Router } from 'express';
import { generateHTML, serve } from 'swagger-ui-express';

// Swagger UI's own colours are too pale to read, and its choice of a server has no name: there is one, which is this.
const CSS = `
.swagger-ui .scheme-container .schemes .schemes-server-container { display: none; }
.swagger-ui .info .title small.version-stamp { background: #4c6b02; }
.swagger-ui .info .url { color: #1b5fa8; }
.swagger-ui .btn.authorize { border-color: #1d6b46; color: #1d6b46; }
.swagger-ui .btn.authorize svg { fill: #1d6b46; }
.swagger-ui .opblock.opblock-get .opblock-summary-method { background: #1b5fa8; }
.swagger-ui .opblock.opblock-post .opblock-summary-method { background: #1d6b46; }
.swagger-ui .opblock.opblock-put .opblock-summary-method { background: #8a4b00; }
.swagger-ui .opblock.opblock-patch .opblock-summary-method { background: #0b665a; }
.swagger-ui .opblock.opblock-delete .opblock-summary-method { background: #b3261e; }
.swagger-ui .json-schema-2020-12-expand-deep-button { color: #505050; }
.swagger-ui pre.microlight span[style*='211, 99, 99'] { color: #ff9b9b !important; }
.swagger-ui pre.microlight { max-height: none !important; overflow: visible !important; overflow-wrap: anywhere; white-space: pre-wrap; }
`;

/** What `/docs` shows: Swagger UI over `/openapi.json`, in colours that everybody can read. */
export function createDocsPage(): Router {
  const page = generateHTML(undefined, {
    customCss: CSS,
    customfavIcon: '/favicon.ico',
    customSiteTitle: 'Recheck API',
    // A link to each call would be a link inside the button that opens it.
    swaggerOptions: { url: '/openapi.json', deepLinking: false },
  });
  const router = Router();
  router.use(serve);
  router.use((_req, res) => {
    res.type('html').send(page);
  });
  return router;
}
