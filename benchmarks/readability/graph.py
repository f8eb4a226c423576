"""The import graph in figures: `python -m benchmarks.readability.graph` in the folder of the project."""

from __future__ import annotations

import os
import sys

import grimp

ROOTS = ("catalogs", "constraints", "optimizer")


def folder_of(module: str) -> str:
    """The folder that a module stands in, as a package."""
    return module if os.path.isdir(module.replace(".", os.sep)) else module.rpartition(".")[0]


def in_circles(imports: dict[str, set[str]]) -> set[str]:
    """Modules that import themselves by way of others."""
    found = set()
    for start in imports:
        seen, open_ = set[str](), [start]
        while open_:
            for other in imports.get(open_.pop(), ()):
                if other == start:
                    found.add(start)
                elif other not in seen:
                    seen.add(other)
                    open_.append(other)
    return found


def main() -> None:
    sys.path.insert(0, os.getcwd())
    graph = grimp.build_graph(*ROOTS, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    arrows = {(folder_of(a), folder_of(b)) for a, others in imports.items() for b in others}
    for name, figure in {
        "modules": len(imports),
        "imports": sum(map(len, imports.values())),
        "folders with modules": len({folder_of(x) for x in imports}),
        "arrows between folders": sum(a != b for a, b in arrows),
        "modules in circles": len(in_circles(imports)),
    }.items():
        print(f"| {name} | {figure:,} |")


if __name__ == "__main__":
    main()
