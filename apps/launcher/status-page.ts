import type { Failure, Stage, StatusSnapshot } from './status.ts';

export interface PageFacts {
  readonly appName: string;
  readonly appVersion: string;
}

const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');

/**
 * The page that a visitor sees until the app is there. It refers to nothing but its own address, so it works under any path; the
 * script and style carry a nonce, everything else is text.
 */
export function renderStatusPage(facts: PageFacts, status: StatusSnapshot, nonce: string): string {
  const name = escapeHtml(`${facts.appName} ${facts.appVersion}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(documentTitle(facts, status))}</title>
<noscript><meta http-equiv="refresh" content="3"></noscript>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main>
<p class="app">${name}</p>
<div id="live">${renderLive(status)}</div>
<p class="foot" id="foot">This page moves on by itself.</p>
</main>
<script nonce="${nonce}">${script}</script>
</body>
</html>
`;
}

/** The part of the page that changes; sent again with each event. */
export function renderLive(status: StatusSnapshot): string {
  const failure = status.failure;
  const parts = [
    `<h1>${escapeHtml(titleOf(status))}</h1>`,
    failure === undefined && status.message !== ''
      ? `<p role="status">${escapeHtml(status.message)}</p>`
      : '',
    `<ol class="stages">${status.stages.map(renderStage).join('')}</ol>`,
    failure === undefined ? '' : renderFailure(failure, 'What went wrong'),
    failure === undefined && status.previousFailure !== undefined
      ? renderFailure(status.previousFailure, 'It was started again. The last attempt ended with this')
      : '',
    failure === undefined && status.lines.length > 0
      ? `<h2>Log</h2><pre tabindex="0">${escapeHtml(status.lines.join('\n'))}</pre>`
      : '',
  ];
  return parts.join('');
}

export const documentTitle = (facts: PageFacts, status: StatusSnapshot): string =>
  `${titleOf(status)} · ${facts.appName} ${facts.appVersion}`;

function titleOf(status: StatusSnapshot): string {
  if (status.phase === 'failed') return 'The app could not run';
  if (status.phase === 'stopping') return 'Stopping';
  if (status.phase === 'ready') return 'Opening the app';
  return status.stages.find((stage) => stage.state === 'running')?.title ?? 'Starting';
}

const words: Record<Stage['state'], string> = {
  waiting: 'waiting',
  running: 'in progress',
  done: 'done',
  failed: 'failed',
};

function renderStage(stage: Stage): string {
  const started = stage.startedAt === undefined ? undefined : Date.parse(stage.startedAt);
  const ended = stage.finishedAt === undefined ? Date.now() : Date.parse(stage.finishedAt);
  const seconds =
    started === undefined || stage.name === 'ready'
      ? ''
      : `${Math.max(0, Math.round((ended - started) / 1000))} s`;
  const counting = stage.state === 'running' && started !== undefined ? ` data-since="${started}"` : '';
  return `<li class="${stage.state}"><span>${escapeHtml(stage.title)}</span><span class="state">${words[stage.state]}</span><time${counting}>${seconds}</time></li>`;
}

function renderFailure(failure: Failure, heading: string): string {
  const lines =
    failure.lines.length === 0 ? '' : `<pre tabindex="0">${escapeHtml(failure.lines.join('\n'))}</pre>`;
  return `<section class="failure" role="alert"><h2>${escapeHtml(heading)}</h2><p>${escapeHtml(failure.message)}</p>${lines}</section>`;
}

const style = `
:root{--bg:#f6f7f9;--card:#fff;--text:#1b1f24;--dim:#57606a;--line:#d9dee3;--run:#8a6d00;--ok:#1a7f37;--bad:#c0262d;--mark:#fec925}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1d2125;--text:#e8eaed;--dim:#a4adb6;--line:#363c42;--run:#fec925;--ok:#57c271;--bad:#ff7b7b}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:46rem;margin:6vh auto;padding:0 1rem}
.app{margin:0;color:var(--dim);overflow-wrap:anywhere}
h1{margin:.2rem 0 1rem;font-size:1.5rem}
h2{margin:1.2rem 0 .4rem;font-size:1rem}
.stages{list-style:none;margin:1rem 0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:8px}
.stages li{display:flex;gap:.8rem;padding:.6rem 1rem;border-left:4px solid transparent;color:var(--dim)}
.stages li+li{border-top:1px solid var(--line)}
.stages li>:first-child{flex:1}
.stages time{min-width:3.5rem;text-align:right;font-variant-numeric:tabular-nums}
.stages .running{border-left-color:var(--mark);color:var(--text)}
.running .state{color:var(--run)}.done .state{color:var(--ok)}.failed .state{color:var(--bad)}
.failure{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--bad);border-radius:8px;padding:.2rem 1rem 1rem}
.failure p{white-space:pre-line;overflow-wrap:anywhere}
pre{margin:0;padding:.8rem;max-height:24rem;overflow:auto;background:var(--card);border:1px solid var(--line);border-radius:8px;font:13px/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.foot{color:var(--dim);font-size:.875rem}
`;

/**
 * Asks its own address for events. When the router has moved on to the app, that address answers with something else: then the
 * page is loaded again and the visitor is in the app. While nobody answers (a restart), it keeps what it shows and tries again.
 */
const script = `
const live=document.getElementById('live'),foot=document.getElementById('foot');
setInterval(()=>{for(const t of live.querySelectorAll('time[data-since]'))t.textContent=Math.max(0,Math.round((Date.now()-Number(t.dataset.since))/1000))+' s'},1000);
let leaving=false;
const reload=()=>{if(!leaving){leaving=true;location.reload()}};
const probe=async()=>{try{
const answer=await fetch(location.href,{headers:{accept:'text/html'},cache:'no-store',redirect:'manual'});
if(answer.headers.get('x-haic-instance-status')===null)return answer.type==='opaqueredirect'||answer.status<500?reload():later();
connect()}catch{later()}};
const later=()=>{foot.textContent='Waiting for the next attempt…';setTimeout(probe,1500)};
function connect(){const events=new EventSource(location.href);
events.onopen=()=>{foot.textContent='This page moves on by itself.'};
events.addEventListener('status',(event)=>{const now=JSON.parse(event.data);live.innerHTML=now.html;document.title=now.title});
events.addEventListener('ready',()=>{events.close();setTimeout(probe,400)});
events.onerror=()=>{events.close();setTimeout(probe,800)}}
connect();
`;
