"""The style sheet of the sandbox's pages: light and dark, wide and narrow, no outside resources."""

STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--panel:#fff;--ink:#1d2530;--soft:#5c6878;--line:#dfe4ea;
--accent:#0b7a75;--accent-ink:#fff;--warm:#8a4b00;--warm-bg:#fff1dc;--tag:#e8eef2}
@media (prefers-color-scheme:dark){:root{--bg:#14181d;--panel:#1d232a;--ink:#e7ebef;--soft:#9daab8;
--line:#2f3843;--accent:#5cc8c1;--accent-ink:#0b1f1e;--warm:#ffc47a;--warm-bg:#3a2a13;
--tag:#2b343e}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,sans-serif;overflow-wrap:anywhere}
header{display:flex;gap:1rem;align-items:baseline;flex-wrap:wrap;
padding:.9rem max(1rem,calc(50vw - 36rem));
background:var(--panel);border-bottom:1px solid var(--line)}
.brand{font-weight:700;color:var(--accent);text-decoration:none}
.hint,.meta,.note,small,time{color:var(--soft);font-size:.85rem}
main{max-width:74rem;margin:0 auto;padding:1.2rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.25;margin:.4rem 0 .8rem}
h1 small{font-weight:400}
section{margin-top:2.2rem}
section h2{font-size:1.1rem;margin:0 0 .7rem;padding-bottom:.35rem;
border-bottom:1px solid var(--line)}
a{color:var(--accent)}
.search{display:flex;gap:.5rem;margin-bottom:1.2rem}
.search input{flex:1;max-width:24rem;min-width:0;padding:.5rem .7rem;font:inherit;color:inherit;
background:var(--panel);border:1px solid var(--line);border-radius:.5rem}
button{padding:.5rem 1rem;font:inherit;border:0;border-radius:.5rem;background:var(--accent);
color:var(--accent-ink);cursor:pointer}
.cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr))}
.card{display:flex;flex-direction:column;background:var(--panel);border:1px solid var(--line);
border-radius:.8rem;padding:1rem}
.card h2{font-size:1.05rem;line-height:1.3;margin:0 0 .5rem}
.card h2 a{color:inherit;text-decoration:none}
.card h2 a:hover,.card h2 a:focus{text-decoration:underline}
.card p{margin:.3rem 0;white-space:pre-line}
.card footer{display:flex;justify-content:space-between;align-items:center;gap:.6rem;
margin-top:auto;
padding-top:.7rem}
.tags{display:flex;flex-wrap:wrap;gap:.35rem}
.tag,.badge{font-size:.78rem;line-height:1.5;padding:.05rem .55rem;border-radius:1rem;
background:var(--tag)}
.badge{font-weight:600;background:var(--warm-bg);color:var(--warm)}
.badge.quiet{background:var(--tag);color:var(--soft);font-weight:400;margin-left:.4rem}
.looking{margin:.6rem 0 0}
.people-note{font-size:.9rem;margin:.3rem 0 0;white-space:pre-line}
.avatars{display:flex}
.avatar{flex:none;display:inline-grid;place-items:center;width:2rem;height:2rem;border-radius:50%;
font-size:.72rem;font-weight:600;color:#fff;
background:color-mix(in srgb,var(--tone,#7b8794) 65%,#1f2a36);
border:2px solid var(--panel)}
.avatars .avatar+.avatar{margin-left:-.45rem}
.rest{align-self:center;margin-left:.3rem;font-size:.8rem;color:var(--soft)}
.text{font:inherit;white-space:pre-wrap;margin:.8rem 0;padding:.9rem 1rem;background:var(--panel);
border:1px solid var(--line);border-radius:.6rem}
.team{list-style:none;margin:0;padding:0;display:grid;gap:.7rem;
grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr))}
.team li{display:flex;gap:.6rem;align-items:center}
.team small{display:block}
.wide{overflow-x:auto}
table{width:100%;border-collapse:collapse;background:var(--panel);border:1px solid var(--line)}
th,td{text-align:left;padding:.45rem .7rem;border-bottom:1px solid var(--line);vertical-align:top}
td+td{white-space:nowrap}
th{font-size:.85rem;color:var(--soft);font-weight:600}
.board{display:grid;grid-auto-flow:column;grid-auto-columns:minmax(12.5rem,1fr);gap:.8rem;
overflow-x:auto;
padding-bottom:.5rem}
.column{background:var(--panel);border:1px solid var(--line);border-top:4px solid var(--tone);
border-radius:.6rem;padding:.6rem}
.column h3{font-size:.92rem;margin:0 0 .6rem}
.story{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .6rem;margin-bottom:.5rem;
background:var(--bg);white-space:pre-line}
.story .tags{margin:.25rem 0}
.ref{color:var(--soft);font-size:.85rem}
details{background:var(--panel);border:1px solid var(--line);border-radius:.6rem;
padding:.6rem .9rem;
margin-bottom:.6rem}
summary{cursor:pointer;font-weight:600}
summary small{font-weight:400}
.empty{color:var(--soft);margin:.3rem 0}
"""
