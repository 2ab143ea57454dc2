"""Writes docs/benchmarks.md, docs/scale.md and docs/plots/ from what the benchmarks found and their templates in benches/.

In a template, `{{tables NAME}}` becomes the tables of a benchmark with their date and machine, `{{plot NAME}}` a picture,
`{{ratios}}` the guarded ratios, and `{{NAME}}` a figure that was measured, or one that is worked out of those.
"""

import os
import re

import bench_plots

NOT_MEASURED = "(not measured yet)"
ENGINES = ["SQLite", "PostgreSQL"]


def table(rows):
    """Markdown: the first column begins at the left."""
    head, *others = rows
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *others]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def tables(kept, name):
    bench = kept["benches"].get(name)
    if not bench or not bench["tables"]:
        return f"*{NOT_MEASURED.strip('()').capitalize()}.*"
    parts = []
    for one in bench["tables"]:
        parts.append(f"*{one['title'][:1].upper()}{one['title'][1:]}*\n\n{table(one['rows'])}")
    measured = f"Measured on {bench['date']}" if bench["date"] else "Measured before dates were kept"
    return "\n\n".join([*parts, f"{measured}, on {bench['machine']}."])


def ratios(kept):
    rows = [["ratio", "kept", "better"]]
    for bench in sorted(kept["quick"]):
        for name, ratio in sorted(kept["quick"][bench].items()):
            rows.append([name, f"{ratio['value']:.2f}", ratio["better"]])
    return table(rows) if len(rows) > 1 else f"*{NOT_MEASURED.strip('()').capitalize()}.*"


def curves(kept, bench):
    return kept["benches"].get(bench, {}).get("curves", {})


def plots(kept):
    """The pictures by their names: what `bench_plots.plot` takes."""
    scale, keys, transfers = curves(kept, "scale"), curves(kept, "listing"), curves(kept, "transfers")
    storages = []
    for engine in ENGINES:
        for what in ("get a storage", "list storages, first page of 50", "sign a URL"):
            storages.append((f"{engine}: {what}", scale.get(f"{engine}, {what}", [])))
    of_keys = [
        ("listing through the service", keys.get("listing through the service", [])),
        ("listing by the plain SDK", keys.get("listing by the plain SDK", [])),
        ("import into a project", curves(kept, "imports").get("import", [])),
    ]
    both = [("down", "downloads"), ("up", "uploads")]
    throughput = [(name, transfers.get(f"throughput, {way}", [])) for way, name in both]
    memory = [(name, transfers.get(f"memory, {way}", [])) for way, name in both]
    return {
        "storages": ("Requests by the number of storages", "storages in the database", "99th percentile, ms", storages),
        "keys": ("Listings and imports by the number of keys", "keys", "seconds", of_keys),
        "transfers": ("Throughput of transfers at once", "transfers at once", "MiB/s together", throughput),
        "transfers-memory": ("Memory of the service by transfers at once", "transfers at once", "MiB at most", memory),
    }


def draw(root, kept):
    """Writes the pictures. Gives the text that a template has in place of each."""
    folder = os.path.join(root, "docs", "plots")
    shown = {}
    for name, (title, x_label, y_label, some) in plots(kept).items():
        picture = bench_plots.plot(title, x_label, y_label, some)
        if picture is None:
            shown[name] = f"*{title}: {NOT_MEASURED.strip('()')}.*"
            continue
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{name}.svg"), "w", encoding="utf-8") as file:
            file.write(picture)
        shown[name] = f"![{title}: {y_label} by {x_label}](plots/{name}.svg)"
    return shown


def worked_out(figures):
    """Figures that follow from measured ones, as docs/scale.md says."""
    million = 1_000_000
    out = {}

    def add(name, needs, work):
        if all(figures.get(need) is not None for need in needs):
            out[name] = work(*(figures[need] for need in needs))

    for access in ("read", "read_write"):
        rate = f"{access}_checks_a_second"
        add(f"{access}_shortest_interval_hours", [rate], lambda a_second: million / a_second / 3600)
        add(f"{access}_replicas_at_6h", [rate], lambda a_second: -(-million / (6 * 3600) // a_second))
        asked = [f"{access}_AssumeRole_for_each_check", f"{access}_RefusedAssumeRole_for_each_check"]
        add(f"{access}_sts_calls_for_each_check", asked, lambda taken, refused: taken + refused)
    for engine in ("sqlite", "postgresql"):
        size = [f"{engine}_bytes_for_each_storage", "check_report_bytes"]
        add(f"{engine}_gib", size[:1], lambda each: million * each / 2**30)
        # One report is in the first figure.
        add(f"{engine}_gib_20_reports", size, lambda each, report: million * (each + 19 * report) / 2**30)
    add("gib_reports_90d_6h", ["check_report_bytes"], lambda report: million * 360 * report / 2**30)
    add("gib_reports_5d_6h", ["check_report_bytes"], lambda report: million * 20 * report / 2**30)
    return out


def shown(value):
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def fill(template, kept, pictures):
    figures = {}
    for bench in kept["benches"].values():
        figures.update(bench.get("figures", {}))
    figures.update(worked_out(figures))

    def replacement(found):
        what = found.group(1).strip()
        kind, _, name = what.partition(" ")
        if kind == "tables":
            return tables(kept, name)
        if kind == "plot":
            return pictures[name]
        if what == "ratios":
            return ratios(kept)
        return shown(figures[what]) if what in figures else NOT_MEASURED

    return re.sub(r"\{\{([^}]+)\}\}", replacement, template)


def write(root, kept):
    pictures = draw(root, kept)
    for name in ("benchmarks.md", "scale.md"):
        with open(os.path.join(root, "benches", f"{name}.in"), encoding="utf-8") as file:
            text = fill(file.read(), kept, pictures)
        with open(os.path.join(root, "docs", name), "w", encoding="utf-8") as file:
            title, rest = text.split("\n", 1)
            file.write(f"{title}\n\nGenerated by `make bench` from `benches/{name}.in`; do not edit.\n{rest}")
