"""Makes PyTorch's package from PyPI usable without NVIDIA's 3 GB of packages.

PyPI has PyTorch for Linux with CUDA only. Its libraries name NVIDIA's libraries, so the system does
not load them alone, although nothing of NVIDIA is called on a machine without a GPU. This script
compiles empty libraries with these names into PyTorch's own folder. Each function in them answers 100,
which CUDA calls "no CUDA-capable device is detected".

Run it with the Python of the environment that has PyTorch. Needs gcc and readelf.
"""

import pathlib
import re
import subprocess
import sysconfig
import tempfile

NO_DEVICE = 100


def readelf(option, file):
    return subprocess.run(["readelf", "-W", option, file], check=True, capture_output=True, text=True).stdout


def missing_libraries(libraries):
    """Names of the libraries that `libraries` need and neither PyTorch nor the system has."""
    needed = {name for library in libraries for name in re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("-d", library))}
    system = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    known = {library.name for library in libraries} | set(re.findall(r"^\s+(\S+) \(", system, re.M))
    return sorted(needed - known)


def version_names(libraries):
    """For each needed library the names of the versions that are asked of it."""
    versions = {}
    for library in libraries:
        for file, entries in re.findall(r"Version: 1  File: (\S+)(.*?)(?=Version: 1  File|\Z)", readelf("-V", library), re.S):
            versions.setdefault(file, set()).update(re.findall(r"Name: (\S+)", entries))
    return versions


def undefined_functions(libraries):
    """Pairs of a function that PyTorch's libraries call and the version that is asked of it, or ""."""
    pattern = re.compile(r"\sUND\s+([A-Za-z_]\w*)(?:@(\S+))?")
    return {pair for library in libraries for pair in pattern.findall(readelf("--dyn-syms", library))}


def functions_of(name, versions, functions):
    """The pairs of `functions` that the library `name` has. Without versions, the names tell it:
    libnccl.so.2 has ncclAllReduce."""
    if versions:
        return [pair for pair in functions if pair[1] in versions]
    prefix = name.removeprefix("lib").split(".")[0].lower()
    return [(function, of) for function, of in functions if of == "" and function.lower().startswith(prefix)]


def compile_stub(folder, name, versions, functions):
    """Compiles the library `name` with `functions`, which are pairs of a function and its version."""
    groups = {version: [function for function, of in functions if of == version] for version in versions}
    script_text = "".join(
        f"{version} {{ {'global: ' + '; '.join(group) + ';' if group else ''} }};\n" for version, group in groups.items()
    )
    with tempfile.TemporaryDirectory() as scratch:
        source, script = pathlib.Path(scratch, "stub.c"), pathlib.Path(scratch, "versions")
        source.write_text("".join(f"long {function}(void) {{ return {NO_DEVICE}; }}\n" for function, _ in functions))
        script.write_text(script_text)
        options = [f"-Wl,-soname,{name}"] + ([f"-Wl,--version-script={script}"] if versions else [])
        subprocess.run(["gcc", "-shared", "-fPIC", "-w", *options, "-o", folder / name, source], check=True)


def main():
    folder = pathlib.Path(sysconfig.get_path("platlib"), "torch", "lib")
    libraries = sorted(folder.glob("*.so*"))
    versions, functions = version_names(libraries), sorted(undefined_functions(libraries))
    for name in missing_libraries(libraries):
        asked = sorted(versions.get(name, []))
        compile_stub(folder, name, asked, functions_of(name, asked, functions))


if __name__ == "__main__":
    main()
