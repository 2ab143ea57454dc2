"""python run.py [group …] [-t NAME] [--binary PATH] [-v]"""
import os, sys
VENV = ".build/emulator/bin/python"
if not sys.prefix.startswith(os.path.abspath(".build/emulator")): os.execv(VENV, [VENV] + sys.argv)
import argparse, tempfile, shutil, time, traceback, importlib, glob, collections, warnings
warnings.filterwarnings("ignore")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
for m in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "g_*.py"))): importlib.import_module(os.path.basename(m)[:-3])
a = argparse.ArgumentParser(); a.add_argument("groups", nargs="*"); a.add_argument("--binary", default="target/debug/sallyport"); a.add_argument("-t"); a.add_argument("-v", action="store_true"); a.add_argument("--list", action="store_true"); a = a.parse_args()
chosen = [t for t in lib.TRIALS if (not a.groups or t[0] in a.groups) and (not a.t or a.t in t[2])]
if a.list:
    for t in chosen: print(*t[:4], sep=" | ")
    print(len(chosen)); sys.exit()
folder = tempfile.mkdtemp(prefix="trials-", dir=".build"); binary = os.path.join(folder, "sallyport"); shutil.copy2(a.binary, binary)
results = []
with lib.World(binary, folder) as w:
    for group, owner, name, expect, fn in chosen:
        t0 = time.time()
        try: fn(w); out, came = "PASS", ""
        except lib.Skip as e: out, came = "SKIP", str(e)
        except lib.Fail as e: out, came = "FAIL", str(e)
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt): raise
            out, came = "FAIL", f"{type(e).__name__}: {e} at {traceback.extract_tb(e.__traceback__)[-1].lineno}" + (traceback.format_exc() if a.v else "")
        results.append((group, owner, name, expect, out, came))
        print(f"{out} {group}/{name} [{owner}] {time.time()-t0:.1f}s" + (f"\n     expected: {expect}\n     came: {came[:700]}" if out == "FAIL" else ""), flush=True)
        w.customer = w.customer
table = collections.OrderedDict()
for g, o, n, e, out, c in results: table.setdefault(g, collections.Counter())[out] += 1
print("\ngroup        PASS FAIL SKIP")
for g, c in table.items(): print(f"{g:12} {c['PASS']:4} {c['FAIL']:4} {c['SKIP']:4}")
t = sum((c for c in table.values()), collections.Counter()); print(f"{'all':12} {t['PASS']:4} {t['FAIL']:4} {t['SKIP']:4}")
shutil.rmtree(folder, ignore_errors=True)
