/** The look of the connect page, in colours that keep 4.5:1 against their ground, light and dark. */
export const style = `
:root { color-scheme: light dark; --ground: #f7f7f5; --card: #fff; --text: #1d1c1d; --soft: #55545a; --line: #8a8990;
  --accent: #0b5cad; --on-accent: #fff; --good: #0a6b3b; --bad: #a8201a; --bad-ground: #fdf0ef; --good-ground: #eef8f1; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #17181b; --card: #202226; --text: #f1f1f3; --soft: #b9bac2; --line: #7d7f89; --accent: #8fc2ff;
    --on-accent: #10233a; --good: #7fd6a4; --bad: #ffa59e; --bad-ground: #3a2020; --good-ground: #1d3226; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; }
header.top { background: var(--card); border-bottom: 1px solid var(--line); padding: .75rem 1rem; }
header.top > div, main { max-width: 52rem; margin: 0 auto; }
header.top > div { display: flex; gap: 1rem; align-items: center; justify-content: space-between; flex-wrap: wrap; }
header.top p { margin: 0; }
main { padding: 1rem; }
h1 { font-size: 1.6rem; margin: 1rem 0; } h2 { font-size: 1.25rem; margin: 0 0 .75rem; } h3 { font-size: 1.05rem; margin: 1rem 0 .25rem; }
a { color: var(--accent); }
section, .card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; margin: 0 0 1.25rem; }
label { display: block; font-weight: 600; margin-top: .9rem; }
label.tick { display: flex; gap: .5rem; align-items: baseline; font-weight: 400; margin-top: .5rem; }
fieldset { border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0 0; padding: .25rem 1rem 1rem; }
legend { font-weight: 600; padding: 0 .25rem; }
input[type=text], input[type=url], input[type=email], input[type=password], input[type=search], select {
  width: 100%; max-width: 36rem; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line);
  border-radius: .3rem; padding: .5rem .6rem; min-height: 2.75rem; }
input[readonly] { font-family: ui-monospace, monospace; }
input[type=checkbox], input[type=radio] { width: 1.1rem; height: 1.1rem; flex: none; }
.wrong { color: var(--bad); margin: .15rem 0 .25rem; font-size: .92rem; }
input[aria-invalid=true], select[aria-invalid=true] { border: 2px solid var(--bad); }
.hint { color: var(--soft); margin: .15rem 0 0; font-size: .92rem; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; }
.actions form { margin: 0; }
button, a.button { font: inherit; font-weight: 600; border: 1px solid var(--accent); border-radius: .3rem; padding: .5rem 1rem;
  min-height: 2.75rem; background: var(--card); color: var(--accent); cursor: pointer; text-decoration: none; display: inline-block; }
button.primary, a.primary { background: var(--accent); color: var(--on-accent); }
button.danger { border-color: var(--bad); color: var(--bad); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.alert { border: 2px solid var(--bad); background: var(--bad-ground); border-radius: .5rem; padding: .75rem 1.25rem; margin: 0 0 1.25rem; }
.done { border: 2px solid var(--good); background: var(--good-ground); border-radius: .5rem; padding: .75rem 1.25rem; margin: 0 0 1.25rem; }
.alert p, .done p { margin: .25rem 0; }
ul.checks { list-style: none; padding: 0; margin: .5rem 0; }
ul.checks li { padding: .35rem 0; border-top: 1px solid var(--line); }
ul.checks li:first-child { border-top: 0; }
ul.checks p { margin: .1rem 0; }
.passed strong { color: var(--good); } .failed strong { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
.copy { user-select: all; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
ol li, ul li { margin: .25rem 0; }
`;
