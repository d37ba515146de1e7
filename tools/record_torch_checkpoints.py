#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Record state dicts as torch.save writes them, with their values beside them.

    python tools/record_torch_checkpoints.py [OUTPUT_DIR]

Needs torch (recorded with 2.15; 2.6 and later do) and safetensors. OUTPUT_DIR
is tests/data/torch_checkpoints of this repository unless given. A second run
with the same torch writes the same bytes.

Every .bin holds the tensors of the .safetensors file whose name its own begins
with (`everything_*.bin` those of `everything.safetensors`), and torch.load reads
every one: the script checks both. What torch does not write itself, ZIP64
records of small files, archives that another tool has repacked, and files of
Python 2 and of torch before 0.4, is put together by hand.
"""

import argparse
import collections
import io
import struct
import zipfile
import zlib
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.utils.serialization import config

# ------------------------------------------------------------------ values


def everything():
    """All element types and all ways in which a tensor can lie in its storage."""
    base = torch.arange(30, dtype=torch.float32).reshape(6, 5) / 8 - 1
    cube = torch.arange(24, dtype=torch.int32).reshape(2, 3, 4)
    wide = torch.arange(12, dtype=torch.float64).reshape(3, 4) * 1.25
    out = collections.OrderedDict()
    out["type.f32"] = torch.tensor([[0.1, -0.0], [float("inf"), float("nan")], [1e-45, 3e38]])
    out["type.f16"] = torch.tensor([0.1, -65504.0, 6e-8], dtype=torch.float16)
    out["type.bf16"] = torch.tensor([0.1, -3e38, 1e-40], dtype=torch.bfloat16)
    out["type.f64"] = torch.tensor([0.1, -1e300], dtype=torch.float64)
    out["type.i64"] = torch.tensor([-(2**63), 2**63 - 1, 0, -1])
    out["type.i32"] = torch.tensor([-(2**31), 2**31 - 1, 7], dtype=torch.int32)
    out["type.i16"] = torch.tensor([[-32768, 32767]], dtype=torch.int16)
    out["type.i8"] = torch.tensor([-128, 127, 0, 1, 2], dtype=torch.int8)
    out["type.u8"] = torch.tensor([0, 255, 128], dtype=torch.uint8)
    out["type.bool"] = torch.tensor([True, False, True])
    out["base"] = base
    out["base.tied"] = base
    out["base.view"] = base.view(5, 6)
    out["base.transposed"] = base.t()
    out["base.rows"] = base[2:5]
    out["base.columns"] = base[:, 1:4]
    out["base.column"] = base[:, 3]
    out["base.steps"] = base[1::2, ::2]
    out["base.element"] = base[4, 2]
    out["base.no_rows"] = base[6:]
    out["base.parameter"] = torch.nn.Parameter(base)
    out["base.transposed_parameter"] = torch.nn.Parameter(base.t(), requires_grad=False)
    out["cube.permuted"] = cube.permute(2, 0, 1)
    out["cube.inner"] = cube[:, 1]
    out["wide.transposed"] = wide.t()
    out["bytes.transposed"] = torch.arange(6, dtype=torch.uint8).reshape(2, 3).t()
    out["halves.transposed"] = torch.arange(6).to(torch.float16).reshape(3, 2).t()
    out["scalar"] = torch.tensor(2.5)
    out["expanded"] = torch.tensor([1.0, 2.0, 3.0]).expand(4, 3)
    out["expanded.middle"] = torch.tensor([[1], [2]], dtype=torch.int16).expand(2, 5)
    out["ones"] = torch.arange(3.0).as_strided((1, 3, 1), (17, 1, 99))
    out["empty"] = torch.zeros(0)
    out["empty.matrix"] = torch.zeros(3, 0, 2, dtype=torch.int64)
    out["n\u00e4me \u4e16\U0001f600"] = torch.tensor([1, 2])
    return out


def with_more(tensors):
    """What a state dict may hold beside tensors, and torch's own attribute."""
    out = collections.OrderedDict(tensors)
    out.update(steps=12, many=2**40, huge=2**80, rate=0.5, note="text", nothing=None, flag=True)
    out._metadata = collections.OrderedDict([("", {"version": 1}), ("layer", {"version": 2})])
    return out


def tiny():
    """The fewest bytes that have a tied, a transposed and a plain tensor."""
    base = torch.arange(6, dtype=torch.int16).reshape(2, 3)
    return {"a": base, "b": base.t(), "c": torch.tensor([1.5])}


# ------------------------------------------------------------------ torch.save


class Keys:
    """Stands for str inside torch.serialization: names storages by their order.

    The legacy layout takes a storage's address for its key.
    """

    def __init__(self):
        self.known = {}

    def __enter__(self):
        known = self.known

        class Type(type):
            def __instancecheck__(cls, value):
                return isinstance(value, str)

        class Text(metaclass=Type):
            def __new__(cls, value=""):
                if isinstance(value, int):
                    return known.setdefault(value, str(94000000000000 + 64 * len(known)))
                return str(value)

        torch.serialization.str = Text
        return self

    def __exit__(self, *_):
        del torch.serialization.str


def saved(value, **options):
    buffer = io.BytesIO()
    with Keys():
        torch.save(value, buffer, **options)
    return buffer.getvalue()


def legacy(value, **options):
    return saved(value, _use_new_zipfile_serialization=False, **options)


def aligned(value, alignment):
    before = config.save.storage_alignment
    config.save.storage_alignment = alignment
    try:
        return saved(value)
    finally:
        config.save.storage_alignment = before


# ------------------------------------------------------------------ other ZIP writers


def entries_of(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return [(name, file.read(name)) for name in file.namelist()]


def repacked(archive, comment=b"", force_zip64=False):
    """As Python's zipfile writes it: no padding, nothing behind the content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        file.comment = comment
        folder = zipfile.ZipInfo("archive/")
        file.writestr(folder, b"")
        for name, content in entries_of(archive):
            # Archives of torch 1.6 have none of these.
            if name.split("/", 1)[1] in ("byteorder", ".format_version", ".storage_alignment",
                                         ".data/serialization_id"):
                continue
            with file.open(zipfile.ZipInfo(name), "w", force_zip64=force_zip64) as entry:
                entry.write(content)
    return buffer.getvalue()


def with_zip64(archive):
    """Every size and offset in ZIP64 fields, as in archives over 4 GiB."""
    full = 0xFFFFFFFF
    out, directory = b"", b""
    entries = entries_of(archive)
    for name, content in entries:
        name = name.encode()
        crc, size = zlib.crc32(content), len(content)
        wide = struct.pack("<HHQQ", 1, 16, size, size)
        other = struct.pack("<HH3s", 0x4246, 3, b"ZZZ")  # one that comes first and means nothing
        wider = struct.pack("<HHQQQ", 1, 24, size, size, len(out))
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, 0, 0, 0, 33, crc, full,
                                 full, len(name), len(other + wider), 0, 0, 0, 0, full)
        directory += name + other + wider
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 0, 0, 0, 33, crc, full, full, len(name),
                           len(other + wide)) + name + other + wide + content
    begin, count = len(out), len(entries)
    out += directory
    out += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, len(directory),
                       begin)
    out += struct.pack("<IIQI", 0x07064B50, 0, begin + len(directory), 1)
    return out + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, full, full, 0)


# ------------------------------------------------------------------ old writers


def text2(value):
    """Python 2's str."""
    return b"U" + bytes([len(value)]) + value.encode()


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def tensor(storage, offset, shape, strides):
    integers = [b"(" + b"".join(map(number, values)) + b"t" for values in (shape, strides)]
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + integers[0] +
            integers[1] + b"\x89ccollections\nOrderedDict\n)RtR")


def old_file(state, keys, storages):
    info = b"}(" + text("protocol_version") + number(1001) + text("little_endian") + b"\x88u."
    out = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
    out += b"\x80\x02" + number(1001) + b"." + b"\x80\x02" + info
    return out + b"\x80\x02" + state + b"." + b"\x80\x02](" + keys + b"e." + storages


def python2():
    """The memo begins at 1, texts are bytes, and an OrderedDict is made from lists."""
    storage = b"(" + text2("storage") + b"ctorch\nFloatStorage\n" + text2("123") + text2("cpu")
    storage += number(4) + b"NtQ"
    first = b"](" + text2("x") + tensor(storage, 0, (2, 2), (2, 1)) + b"eq\x02"
    second = b"](" + text2("y") + tensor(storage, 1, (3,), (1,)) + b"eq\x03"
    state = b"ccollections\nOrderedDict\nq\x01](" + first + second + b"e\x85R"
    values = torch.tensor([1.0, -2.0, 3.5, 0.25])
    file = old_file(state, text2("123"), struct.pack("<q4f", 4, *values.tolist()))
    return file, {"x": values.reshape(2, 2), "y": values[1:]}


def storage_views():
    """Storages that are parts of another one, as before torch 0.4."""

    def storage(view):
        part = b"N"
        if view:
            part = b"(" + text(view[0]) + number(view[1]) + number(view[2]) + b"t"
        return (b"(" + text("storage") + b"ctorch\nIntStorage\n" + text("7") + text("cpu") +
                number(6) + part + b"tQ")

    state = b"}(" + text("whole") + tensor(storage(None), 0, (6,), (1,))
    state += text("part") + tensor(storage(("8", 2, 3)), 1, (2,), (1,))
    state += text("part.across") + tensor(storage(("9", 1, 5)), 0, (2, 2), (1, 3)) + b"u"
    values = torch.tensor([5, 6, 7, 8, 9, 10], dtype=torch.int32)
    file = old_file(state, text("7"), struct.pack("<q6i", 6, *values.tolist()))
    return file, {"whole": values, "part": values[3:5],
                  "part.across": values[1:].as_strided((2, 2), (1, 3))}


# ------------------------------------------------------------------ files


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and (
        a.detach().contiguous().flatten().view(torch.uint8).equal(
            b.detach().contiguous().flatten().view(torch.uint8)))


def record(folder, stem, tensors, files):
    plain = {name: value.detach().clone(memory_format=torch.contiguous_format)
             for name, value in tensors.items()}
    save_file(plain, folder / f"{stem}.safetensors")
    (folder / f"{stem}.safetensors").chmod(0o644)
    for name, content in files.items():
        path = folder / f"{stem}_{name}.bin" if name else folder / f"{stem}.bin"
        path.write_bytes(content)
        loaded = torch.load(path, weights_only=False)
        for key in ("state_dict", "model"):
            loaded = loaded.get(key, loaded)
        read = {key: value for key, value in loaded.items() if isinstance(value, torch.Tensor)}
        assert read.keys() == plain.keys(), path
        for key, value in plain.items():
            assert same(read[key], value), (path, key)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    default = Path(__file__).resolve().parents[1] / "tests" / "data" / "torch_checkpoints"
    parser.add_argument("output", nargs="?", type=Path, default=default)
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)

    tensors = everything()
    state = with_more(tensors)
    training = {"epoch": 3, "state_dict": state, "best": None,
                "optimizer": {"state": {}, "param_groups": [{"lr": 0.5, "params": [0, 1]}]}}
    files = {"zip": saved(state), "zip_dict": saved(dict(tensors)), "zip_training": saved(training),
             "zip_model": saved({"model": dict(tensors)}), "zip_alignment": aligned(state, 512),
             "legacy": legacy(state), "legacy_dict": legacy(dict(tensors)),
             "legacy_training": legacy(training)}
    for protocol in (3, 4, 5):
        files[f"zip_protocol{protocol}"] = saved(state, pickle_protocol=protocol)
        files[f"legacy_protocol{protocol}"] = legacy(state, pickle_protocol=protocol)
    files["zip_repacked"] = repacked(files["zip"])
    files["zip_comment"] = repacked(files["zip"], comment=b"another tool was here")
    files["zip_force_zip64"] = repacked(files["zip"], force_zip64=True)
    files["zip_zip64"] = with_zip64(files["zip"])
    record(folder, "everything", tensors, files)

    record(folder, "nothing", {}, {"zip": saved({}), "legacy": legacy({}),
                                   "numbers": saved({"a": 1, "b": "c"})})
    record(folder, "tiny", tiny(), {"zip": saved(tiny()), "legacy": legacy(tiny())})
    for name, make in (("python2", python2), ("storage_views", storage_views)):
        content, values = make()
        record(folder, name, values, {"": content})
    for path in folder.iterdir():
        assert path.stat().st_size < 40_000, path


if __name__ == "__main__":
    main()
