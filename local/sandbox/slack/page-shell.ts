/** The page's document: landmarks and empty panes that the scripts in page/ fill. The same for every address of it. */
export function pageShell(team: string): string {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${team} | Slack sandbox</title>
  <link rel="icon" href="/page/recheck.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/page/layout.css">
  <link rel="stylesheet" href="/page/messages.css">
  <link rel="stylesheet" href="/page/blocks.css">
  <link rel="stylesheet" href="/page/overlays.css">
</head>
<body>
  <a class="skip" href="#main">Skip to the conversation</a>
  <header class="topbar">
    <p class="badge">Sandbox</p>
    <p class="about-sandbox">A local stand-in for Slack. Nothing leaves this machine.</p>
    <div class="you" id="you"></div>
  </header>
  <div class="workbench">
    <nav class="sidebar" aria-label="Channels and apps" id="sidebar"></nav>
    <main class="main" id="main" tabindex="-1"></main>
    <div class="thread" id="thread" role="complementary" aria-label="Thread" tabindex="-1" hidden></div>
  </div>
  <div class="toasts" id="toasts" role="status" aria-live="polite"></div>
  <noscript>This page needs JavaScript.</noscript>
  <script type="module" src="/page/main.js"></script>
</body>
</html>
`;
}
