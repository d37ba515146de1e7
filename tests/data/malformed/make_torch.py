#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes torch/ beside it: files that a reader of torch.save's state dicts must refuse.

As make.py: one file a case, named by what is wrong with it, and torch/expected.tsv. Needs nothing
but Python. Files that must be large to do harm are made by the test instead.
"""

import struct
import zlib

from make import write

FORMAT, UNSUPPORTED = "format", "unsupported"

# ---------------------------------------------------------------- pickles


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return b"X" + struct.pack("<I", len(value)) + value


def number(value):
    """LONG1, for any size."""
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(content)]) + content


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def name(module, what):
    return f"c{module}\n{what}\n".encode()


def call(module, what, *arguments):
    return name(module, what) + b"(" + b"".join(arguments) + b"tR"


def storage(key="0", elements=2, kind="FloatStorage", *more):
    key = text(key) if isinstance(key, str) else key
    elements = number(elements) if isinstance(elements, int) else elements
    kind = name("torch", kind) if isinstance(kind, str) else kind
    return b"(" + text("storage") + kind + key + text("cpu") + elements + b"".join(more) + b"tQ"


HOOKS = name("collections", "OrderedDict") + b")R"


def tensor(place=None, offset=number(0), shape=numbers([2]), strides=numbers([1]), end=b"\x89" + HOOKS):
    return call("torch._utils", "_rebuild_tensor_v2", place or storage(), offset, shape, strides, end)


def dict_of(*entries):
    """A pickled dict of keys and values."""
    content = b"".join((text(key) if isinstance(key, str) else key) + value for key, value in entries)
    return b"}(" + content + b"u"


def one(*arguments, **more):
    """The dict of one tensor, "a"."""
    return dict_of(("a", tensor(*arguments, **more)))


# ---------------------------------------------------------------- archives

DATA = struct.pack("<2f", 1, 2)


class Entry:
    """A file of an archive; whatever the fields say, local_* where the local header differs."""

    def __init__(self, name, content, **fields):
        self.name, self.content = name.encode(), content
        self.extra = self.local_extra = b""
        self.flags = self.method = self.disk = 0
        self.size = self.stored = len(content)
        self.crc = zlib.crc32(content)
        self.begin = None
        self.local_signature = 0x04034B50
        self.local_name_size = self.local_extra_size = None
        for key in ("flags", "method", "size", "stored", "crc", "name"):
            setattr(self, "local_" + key, None)
        vars(self).update(fields)

    def local(self):
        pick = lambda key: getattr(self, key) if getattr(self, "local_" + key) is None else (
            getattr(self, "local_" + key))
        return struct.pack("<IHHHHHIIIHH", self.local_signature, 20, pick("flags"), pick("method"), 0,
                           33, pick("crc"), pick("stored") & 0xFFFFFFFF, pick("size") & 0xFFFFFFFF,
                           self.local_name_size or len(pick("name")),
                           self.local_extra_size or len(self.local_extra)) + pick("name") + (
                               self.local_extra + self.content)

    def central(self, begin):
        begin = begin if self.begin is None else self.begin
        return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, self.flags, self.method, 0, 33,
                           self.crc, self.stored & 0xFFFFFFFF, self.size & 0xFFFFFFFF,
                           len(self.name), len(self.extra), 0, self.disk, 0, 0,
                           begin & 0xFFFFFFFF) + self.name + self.extra


def parts(entries):
    """The entries with their headers, and the central directory."""
    out, directory = b"", b""
    for entry in entries:
        directory += entry.central(len(out))
        out += entry.local()
    return out, directory


def archive(entries, count=None, size=None, begin=None, volume=0, comment=b"", wide=None):
    out, directory = parts(entries)
    count = len(entries) if count is None else count
    size = len(directory) if size is None else size
    begin = len(out) if begin is None else begin
    end = out + directory + (wide(len(out), len(directory), len(entries)) if wide else b"")
    return end + struct.pack("<IHHHHIIH", 0x06054B50, volume, volume, count, count, size, begin,
                             len(comment)) + comment


def wide_end(signature=0x06064B50, at=0, volumes=1, **values):
    """A ZIP64 end record and locator, with some of size, begin and count as given."""

    def make(begin, size, count):
        record = struct.pack("<IQHHIIQQQQ", signature, 44, 45, 45, 0, 0, values.get("count", count),
                             values.get("count", count), values.get("size", size),
                             values.get("begin", begin))
        return record + struct.pack("<IIQI", 0x07064B50, 0, at or begin + size, volumes)

    return make


def entries_for(state, storages=None, **changed):
    """The entries of a checkpoint. changed: pickle, byteorder, version, storage, each a dict of
    fields, or None to leave the entry out."""
    def make(key, entry, content):
        fields = changed.get(key, {})
        if fields is None:
            return []
        fields = {"content": content, **fields}
        return [Entry("archive/" + entry, fields.pop("content"), **fields)]

    out = make("pickle", "data.pkl", b"\x80\x02" + state + b".")
    out += make("byteorder", "byteorder", b"little")
    for key, content in (storages or {"0": DATA}).items():
        out += make("storage", "data/" + key, content)
    return out + make("version", "version", b"3\n")


def zipped(state, storages=None, **changed):
    return archive(entries_for(state, storages, **changed))


def raw(program):
    """An archive whose pickle is these bytes."""
    out = entries_for(b"")
    return archive([Entry("archive/data.pkl", program)] + out[1:])


def changed(**fields):
    """A good archive, but for the fields of its storage's entry."""
    return zipped(one(), storage=fields)


# ---------------------------------------------------------------- the legacy layout

MAGIC = 0x1950A86A20F9469CFC6C


def legacy_parts(state=None, keys=(text("0"),), storages=struct.pack("<q2f", 2, 1, 2), magic=MAGIC,
                 version=number(1001), info=None, key_list=None):
    info = dict_of(("protocol_version", number(1001)), ("little_endian", b"\x88")) if (
        info is None) else info
    state = one(storage("0", 2, "FloatStorage", b"N")) if state is None else state
    key_list = b"](" + b"".join(keys) + b"e" if key_list is None else key_list
    programs = (number(magic) if isinstance(magic, int) else magic, version, info, state, key_list)
    return [b"\x80\x02" + program + b"." for program in programs] + [storages]


def legacy(*arguments, **more):
    return b"".join(legacy_parts(*arguments, **more))


# ---------------------------------------------------------------- cases

GOOD = one()
ZIP = zipped(GOOD)
assert len(ZIP) < 1000
LOCALS, DIRECTORY = parts(entries_for(GOOD))
STATE_AT = len(Entry("archive/data.pkl", b"").local())
STORAGE_AT = LOCALS.index(DATA)
OPCODE = "which plain tensors don't need; nothing was executed"
CUT_ZIP = "a ZIP archive without the end of its central directory: is it cut short?"
SYSTEM = text("true") + b"\x85R"

cases = {
    # No file of torch.save at all.
    "empty_file": (b"", FORMAT, "is empty"),
    "git_lfs_pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", FORMAT,
                        "is a Git LFS pointer"),
    "web_page": (b"\n <!DOCTYPE html><html>Not found</html>", FORMAT, "is a web page"),
    "web_page_of_bytes": (b"<", FORMAT, "is a web page"),
    "safetensors_file": (struct.pack("<Q", 2) + b"{}", FORMAT, "is a safetensors file"),
    "tar_archive": (b"storages".ljust(257, b"\0") + b"ustar\x0000".ljust(255, b"\0"), UNSUPPORTED,
                    "is a tar archive, the format of torch before 0.2"),
    "numpy_file": (b"\x93NUMPY\x01\x00", FORMAT, "begins neither as a ZIP archive nor as a pickle"),
    "gzip_file": (b"\x1f\x8b\x08\x00" * 5, FORMAT, "torch.save did not write it"),
    "spaces_alone": (b" \n" * 20, FORMAT, "torch.save did not write it"),
    "pickle_of_protocol_0": (b"(dp0\nS'a'\np1\nI1\ns.", FORMAT, "nor as a pickle"),

    # Code.
    "runs_system_by_global": (zipped(dict_of(("a", name("os", "system") + SYSTEM))), UNSUPPORTED,
                              'data.pkl: byte 10: the name "os.system", ' + OPCODE),
    "runs_system_by_stack_global": (
        zipped(dict_of(("a", text("posix") + text("system") + b"\x93" + SYSTEM))), UNSUPPORTED,
        'data.pkl: byte 31: the name "posix.system", ' + OPCODE),
    "runs_system_in_legacy": (legacy(dict_of(("a", name("os", "system") + SYSTEM))), UNSUPPORTED,
                              'the name "os.system", ' + OPCODE),
    "runs_system_in_magic": (legacy(magic=name("os", "system") + SYSTEM), UNSUPPORTED,
                             'byte 2: the name "os.system", ' + OPCODE),
    "runs_system_in_keys": (legacy(key_list=name("os", "system") + SYSTEM), UNSUPPORTED,
                            'the name "os.system", ' + OPCODE),
    "runs_system_in_hooks": (
        zipped(one(end=b"\x89" + name("os", "system") + SYSTEM)), UNSUPPORTED, '"os.system"'),
    "runs_system_in_attributes": (
        zipped(GOOD + dict_of(("x", name("os", "system") + SYSTEM)) + b"b"), UNSUPPORTED, '"os.system"'),
    "runs_eval": (zipped(dict_of(("a", name("builtins", "eval") + SYSTEM))), UNSUPPORTED,
                  '"builtins.eval"'),
    "runs_eval_of_python_2": (zipped(name("__builtin__", "eval") + SYSTEM), UNSUPPORTED,
                              '"__builtin__.eval"'),
    "runs_getattr": (zipped(name("builtins", "getattr") + b")R"), UNSUPPORTED, '"builtins.getattr"'),
    "runs_torch_load": (zipped(call("torch.storage", "_load_from_bytes", b"C\x01x")), UNSUPPORTED,
                        '"torch.storage._load_from_bytes"'),
    "runs_hub": (zipped(call("torch.hub", "load", text("x"))), UNSUPPORTED, '"torch.hub.load"'),
    "runs_dotted_name": (
        zipped(text("torch") + text("serialization.os.system") + b"\x93" + SYSTEM), UNSUPPORTED,
        '"torch.serialization.os.system"'),
    "runs_inst": (zipped(b"(" + text("true") + b"ios\nsystem\n"), UNSUPPORTED,
                  "data.pkl: byte 12: the opcode 0x69, " + OPCODE),
    "runs_obj": (zipped(b"(" + name("collections", "OrderedDict") + text("x") + b"o"), UNSUPPORTED,
                 "the opcode 0x6F, " + OPCODE),
    "runs_newobj": (zipped(name("collections", "OrderedDict") + b")\x81"), UNSUPPORTED,
                    "the opcode 0x81, " + OPCODE),
    "runs_newobj_ex": (zipped(name("collections", "OrderedDict") + b")}\x92"), UNSUPPORTED,
                       "the opcode 0x92, " + OPCODE),
    "runs_extension": (zipped(b"\x82\x01"), UNSUPPORTED, "the opcode 0x82, " + OPCODE),
    "name_of_module": (zipped(name("__main__", "Model") + b")R"), UNSUPPORTED, '"__main__.Model"'),
    "name_with_control_characters": (zipped(name("o\x1b[2J", "s\u202e") + b")R"), UNSUPPORTED,
                                     r'the name "o\u001b[2J.s'),
    "name_not_utf8": (zipped(b"co\xffs\nsystem\n)R"), UNSUPPORTED, 'the name "o\ufffds.system"'),
    "name_empty": (zipped(b"c\n\n)R"), UNSUPPORTED, 'the name ".", '),
    "name_of_4000_bytes": (zipped(name("m" * 2000, "n" * 2000) + b")R"), UNSUPPORTED,
                           "m." + "n" * 96 + '", '),

    # Opcodes and their arguments.
    "opcode_ff": (raw(b"\x80\x02\xff."), FORMAT, "data.pkl: byte 2: 0xFF is no opcode of pickle"),
    "opcode_nul": (raw(b"\0" * 40), FORMAT, "data.pkl: byte 0: 0x00 is no opcode of pickle"),
    "opcode_persid": (raw(b"\x80\x02Pstorage\n."), UNSUPPORTED, "the opcode 0x50"),
    "opcode_put_in_text": (raw(b"\x80\x02}p0\n."), UNSUPPORTED, "the opcode 0x70"),
    "opcode_get_in_text": (raw(b"\x80\x02}q\x00g0\n."), UNSUPPORTED, "the opcode 0x67"),
    "opcode_dup": (raw(b"\x80\x02}2."), UNSUPPORTED, "the opcode 0x32"),
    "opcode_pop": (raw(b"\x80\x02}}0."), UNSUPPORTED, "the opcode 0x30"),
    "opcode_buffer": (raw(b"\x80\x05\x97."), UNSUPPORTED, "the opcode 0x97"),
    "opcode_bytearray": (raw(b"\x80\x05\x96" + b"\xff" * 8 + b"."), UNSUPPORTED, "the opcode 0x96"),
    "opcode_set": (raw(b"\x80\x04\x8f."), UNSUPPORTED, "the opcode 0x8F"),
    "protocol_1": (raw(b"\x80\x01}."), UNSUPPORTED, "pickle protocol 1, expected 2 to 5"),
    "protocol_6": (raw(b"\x80\x06}."), UNSUPPORTED, "pickle protocol 6, expected 2 to 5"),
    "protocol_cut": (raw(b"\x80"), FORMAT, "data.pkl: byte 0: the pickle goes on after byte 1"),
    "pickle_empty": (raw(b""), FORMAT, "data.pkl: byte 0: the pickle goes on after byte 0"),
    "pickle_without_stop": (raw(b"\x80\x02}"), FORMAT, "data.pkl: byte 3: the pickle goes on after byte 3"),
    "pickle_then_more": (raw(b"\x80\x02}.}."), FORMAT, "data.pkl: byte 4: more bytes after the pickle"),
    "pickle_stops_at_nothing": (raw(b"\x80\x02."), FORMAT, "byte 2: the stack has too few values"),
    "pickle_stops_with_two_values": (raw(b"\x80\x02}}."), FORMAT, "stops with values left on its stack"),
    "pickle_stops_above_a_mark": (raw(b"\x80\x02(}."), FORMAT, "stops with values left on its stack"),
    "pickle_stops_at_a_mark": (raw(b"\x80\x02}(."), FORMAT, "byte 4: the stack has too few values"),
    "frame_past_the_end": (raw(b"\x80\x04\x95\x05\0\0\0\0\0\0\0}."), FORMAT,
                           "byte 2: the pickle goes on after byte 13"),
    "frame_of_2_63": (raw(b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b"}."), FORMAT, "byte 2: the pickle"),
    "text_past_the_end": (raw(b"\x80\x02X\x05\0\0\0abc."), FORMAT, "byte 2: the pickle goes on after byte 11"),
    "text_of_2_32": (raw(b"\x80\x02X\xff\xff\xff\xffabc."), FORMAT, "byte 2: the pickle goes on"),
    "text_of_2_63": (raw(b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b"abc."), FORMAT,
                     "byte 2: the pickle goes on"),
    "text_of_2_64": (raw(b"\x80\x04\x8d" + b"\xff" * 8 + b"abc."), FORMAT, "byte 2: the pickle goes on"),
    "text_without_length": (raw(b"\x80\x02X\x05\0"), FORMAT, "byte 2: the pickle goes on"),
    "short_text_past_the_end": (raw(b"\x80\x04\x8c\x05abc."), FORMAT, "byte 2: the pickle goes on"),
    "string_past_the_end": (raw(b"\x80\x02T\xff\xff\xff\x7fabc."), FORMAT, "byte 2: the pickle goes on"),
    "bytes_past_the_end": (raw(b"\x80\x03B\xff\xff\xff\x7fabc."), FORMAT, "byte 2: the pickle goes on"),
    "long_of_2_31": (raw(b"\x80\x02\x8b\0\0\0\x80abc."), FORMAT, "byte 2: the pickle goes on"),
    "long_past_the_end": (raw(b"\x80\x02\x8a\xffabc."), FORMAT, "byte 2: the pickle goes on"),
    "name_without_line_end": (raw(b"\x80\x02ctorch\nFloatStorage"), FORMAT, "byte 2: the pickle goes on"),
    "name_of_one_line": (raw(b"\x80\x02ctorch\n"), FORMAT, "byte 2: the pickle goes on"),
    "memo_put_far_away": (raw(b"\x80\x02}r\xff\xff\xff\xff."), FORMAT,
                          "byte 3: puts a value at 4294967295 of a memo of 0"),
    "memo_put_skips_two": (raw(b"\x80\x02}q\x02."), FORMAT, "puts a value at 2 of a memo of 0"),
    "memo_get_far_away": (raw(b"\x80\x02}q\x00j\xff\xff\xff\xff."), FORMAT,
                          "byte 5: gets value 4294967295 of a memo that lacks it"),
    "memo_get_before_put": (raw(b"\x80\x02h\x00."), FORMAT, "gets value 0 of a memo that lacks it"),
    "memo_get_of_a_hole": (raw(b"\x80\x02}q\x01h\x00."), FORMAT, "gets value 0 of a memo that lacks it"),
    "mark_missing_for_tuple": (raw(b"\x80\x02NNt."), FORMAT, "byte 4: the opcode here needs a mark"),
    "mark_missing_for_items": (raw(b"\x80\x02}u."), FORMAT, "byte 3: the opcode here needs a mark"),
    "mark_missing_for_appends": (raw(b"\x80\x02]e."), FORMAT, "byte 3: the opcode here needs a mark"),
    "mark_used_twice": (raw(b"\x80\x02(tt."), FORMAT, "byte 4: the opcode here needs a mark"),
    "items_of_a_list": (raw(b"\x80\x02](NNu."), FORMAT, "expected a dict, got a list"),
    "items_of_none": (raw(b"\x80\x02N(NNu."), FORMAT, "expected a dict, got None"),
    "items_of_a_tensor": (zipped(tensor() + b"(NNu"), FORMAT,
                          "expected a dict, got what torch._utils._rebuild_tensor_v2 returns"),
    "items_odd": (raw(b"\x80\x02}(N\x88Nu."), FORMAT, "byte 7: a key without a value"),
    "appends_to_a_dict": (raw(b"\x80\x02}(Ne."), FORMAT, "expected a list, got a dict"),
    "append_to_a_tuple": (raw(b"\x80\x02)Na."), FORMAT, "expected a list, got a tuple of 0"),
    "call_of_a_type": (zipped(name("torch", "FloatStorage") + b")R"), FORMAT,
                       "expected a function to call, got torch.FloatStorage"),
    "call_of_text": (zipped(text("os.system") + b")R"), FORMAT, 'expected a function to call, got "os.system"'),
    "call_of_a_call": (zipped(tensor() + b")R"), FORMAT, "expected a function to call, got what"),
    "call_with_a_list": (zipped(name("collections", "OrderedDict") + b"]R"), FORMAT,
                         "expected a tuple of arguments, got a list"),
    "attributes_of_a_tensor": (zipped(dict_of(("a", tensor() + b"}b"))), FORMAT,
                               "expected a dict, got what torch._utils._rebuild_tensor_v2 returns"),
    "attributes_of_text": (zipped(text("a") + b"}b"), FORMAT, 'expected a dict, got "a"'),
    "stack_global_of_numbers": (raw(b"\x80\x04K\1K\2\x93."), FORMAT, "expected a module and a name as text"),
    "persistent_id_is_text": (zipped(text("storage") + b"Q"), FORMAT,
                              'expected a tuple as persistent id, got "storage"'),

    # Storages.
    "storage_of_complex": (zipped(one(storage(kind="ComplexFloatStorage"))), UNSUPPORTED,
                           '"torch.ComplexFloatStorage"'),
    "storage_quantized": (zipped(one(storage(kind="QInt8Storage"))), UNSUPPORTED, '"torch.QInt8Storage"'),
    "storage_on_gpu": (zipped(one(storage(kind=name("torch.cuda", "FloatStorage")))), UNSUPPORTED,
                       '"torch.cuda.FloatStorage"'),
    "storage_untyped": (zipped(one(storage(kind=name("torch.storage", "UntypedStorage")))), UNSUPPORTED,
                        '"torch.storage.UntypedStorage"'),
    "storage_rebuilt_by_v3": (zipped(dict_of(("a", call("torch._utils", "_rebuild_tensor_v3")))),
                              UNSUPPORTED, '"torch._utils._rebuild_tensor_v3"'),
    "storage_of_text_type": (zipped(one(storage(kind=text("FloatStorage")))), FORMAT,
                             'tensor "a": expected a type of storage, got "FloatStorage"'),
    "storage_of_dict_type": (zipped(one(storage(kind=name("collections", "OrderedDict")))), FORMAT,
                             "expected a type of storage, got collections.OrderedDict"),
    "storage_is_a_module": (zipped(one(b"(" + text("module") + b"NNNNtQ")), UNSUPPORTED,
                            "expected what torch.save puts in place of a storage"),
    "storage_id_of_four": (zipped(one(b"(" + text("storage") + b"NNNtQ")), UNSUPPORTED,
                           "expected what torch.save puts in place of a storage"),
    "storage_id_of_seven": (zipped(one(storage("0", 2, "FloatStorage", b"NN"))), UNSUPPORTED,
                            "expected what torch.save puts in place of a storage"),
    "storage_id_empty": (zipped(one(b")Q")), UNSUPPORTED,
                         "expected what torch.save puts in place of a storage"),
    "storage_is_none": (zipped(one(b"N")), FORMAT, 'tensor "a": expected a storage, got None'),
    "storage_is_a_tuple": (zipped(one(b")")), FORMAT, "expected a storage, got a tuple of 0"),
    "storage_key_is_a_number": (zipped(one(storage(key=number(0)))), FORMAT,
                                "expected a storage's key, got 0"),
    "storage_key_of_513_bytes": (zipped(one(storage(key="0" * 513))), FORMAT, "expected a storage's key"),
    "storage_key_missing": (zipped(one(storage(key="1"))), FORMAT,
                            'tensor "a": its storage "1" is not in the archive'),
    "storage_key_empty": (zipped(one(storage(key=""))), FORMAT, 'its storage "" is not in the archive'),
    "storage_key_leaves_the_folder": (zipped(one(storage(key="../version"))), FORMAT,
                                      'its storage "../version" is not in the archive'),
    "storage_key_with_nul": (zipped(one(storage(key="0\0"))), FORMAT, r'its storage "0\u0000" is not'),
    "storage_entry_absent": (zipped(one(), storage=None), FORMAT, 'its storage "0" is not in the archive'),
    "storage_too_small": (zipped(one(), {"0": DATA[:7]}), FORMAT,
                          'tensor "a": its storage "0" should have 8 bytes and has 7'),
    "storage_too_big": (zipped(one(), {"0": DATA + b"\0"}), FORMAT, "should have 8 bytes and has 9"),
    "storage_numel_differs": (zipped(one(storage(elements=3))), FORMAT, "should have 12 bytes and has 8"),
    "storage_numel_negative": (zipped(one(storage(elements=-2))), FORMAT,
                               "its storage's size: expected an integer in [0, 2^63), got -2"),
    "storage_numel_wraps_32_bits": (zipped(one(storage(elements=2**32 + 2))), FORMAT,
                                    "should have 17179869192 bytes and has 8"),
    "storage_numel_overflows": (zipped(one(storage(elements=2**62 + 2))), FORMAT,
                                "its storage's size overflows"),
    "storage_numel_beyond_int64": (zipped(one(storage(elements=2**64 + 2))), FORMAT,
                                   "got an integer of more than 64 bits"),
    "storage_numel_is_2_63": (zipped(one(storage(elements=2**63))), FORMAT,
                              "got an integer of more than 64 bits"),
    "storage_numel_is_true": (zipped(one(storage(elements=b"\x88"))), FORMAT, "got True"),
    "storage_numel_is_text": (zipped(one(storage(elements=text("2")))), FORMAT, 'got "2"'),
    "storage_numel_is_real": (zipped(one(storage(elements=b"G@\0\0\0\0\0\0\0"))), FORMAT, "got a float"),
    "storage_type_differs": (zipped(dict_of(("a", tensor()), ("b", tensor(storage(kind="HalfStorage"))))),
                             FORMAT, 'tensor "b": its storage "0" should have 4 bytes and has 8'),

    "storage_of_two_types": (
        zipped(dict_of(("a", tensor()), ("b", tensor(storage(kind="IntStorage"))))), FORMAT,
        'tensor "b": its storage "0" is of I32 here and of F32 for another tensor'),

    # Tensors.
    "offset_negative": (zipped(one(offset=number(-1))), FORMAT,
                        'tensor "a": its offset: expected an integer in [0, 2^63), got -1'),
    "offset_outside": (zipped(one(offset=number(1))), FORMAT,
                       "shape [2], strides [1] and offset 1 leave its storage of 2 elements"),
    "offset_far_outside": (zipped(one(offset=number(2**63 - 1))), FORMAT, "leave its storage of 2"),
    "offset_bytes_wrap": (zipped(one(offset=number(2**62))), FORMAT, "leave its storage of 2"),
    "offset_is_text": (zipped(one(offset=text("0"))), FORMAT, 'its offset: expected an integer'),
    "shape_outside": (zipped(one(shape=numbers([3]))), FORMAT,
                      "shape [3], strides [1] and offset 0 leave its storage of 2 elements"),
    "shape_negative": (zipped(one(shape=numbers([-2]))), FORMAT,
                       "its shape: expected an integer in [0, 2^63), got -2"),
    "shape_twice_negative": (zipped(one(shape=numbers([-1, -2]), strides=numbers([2, 1]))), FORMAT,
                             "its shape: expected an integer in [0, 2^63), got -1"),
    "shape_product_overflows": (zipped(one(shape=numbers([2**32, 2**32]), strides=numbers([0, 0]))), FORMAT,
                                'tensor "a": the size of [4294967296, 4294967296] overflows'),
    "shape_bytes_overflow": (zipped(one(shape=numbers([2**62 + 2]))), FORMAT, "overflows"),
    "shape_overflows_beside_0": (zipped(one(shape=numbers([0, 2**62, 2**62]), strides=numbers([1, 1, 1]))),
                                 FORMAT, "overflows"),
    "shape_wraps_32_bits": (zipped(one(shape=numbers([2**32 + 2]))), FORMAT, "leave its storage of 2"),
    "shape_of_9_dimensions": (zipped(one(shape=numbers([1] * 8 + [2]), strides=numbers([1] * 9))), FORMAT,
                              "its shape: 9 dimensions, the limit is 8 (LoadLimits::dimensions)"),
    "shape_is_a_list": (zipped(one(shape=b"](K\2e")), FORMAT, "its shape: expected a tuple, got a list"),
    "shape_is_a_number": (zipped(one(shape=number(2))), FORMAT, "its shape: expected a tuple, got 2"),
    "shape_of_text": (zipped(one(shape=b"(" + text("2") + b"t")), FORMAT, 'its shape: expected an integer'),
    "shape_of_none": (zipped(one(shape=b"(Nt")), FORMAT, "got None"),
    "shape_beyond_int64": (zipped(one(shape=numbers([2**64]))), FORMAT, "an integer of more than 64 bits"),
    "stride_negative": (zipped(one(strides=numbers([-1]))), FORMAT,
                        'tensor "a": its strides: expected an integer in [0, 2^63), got -1'),
    "stride_outside": (zipped(one(strides=numbers([2]))), FORMAT,
                       "shape [2], strides [2] and offset 0 leave its storage of 2 elements"),
    "stride_wraps": (zipped(one(shape=numbers([3]), strides=numbers([2**63 - 1]))), FORMAT, "leave its storage"),
    "stride_bytes_wrap": (zipped(one(strides=numbers([2**62]))), FORMAT, "leave its storage"),
    "strides_sum_outside": (zipped(one(shape=numbers([2, 2]), strides=numbers([1, 1]))), FORMAT,
                            "leave its storage"),
    "strides_too_few": (zipped(one(strides=numbers([]))), FORMAT, "0 strides for the shape [2]"),
    "strides_too_many": (zipped(one(strides=numbers([1, 1]))), FORMAT, "2 strides for the shape [2]"),
    "stride_0_of_an_exabyte": (zipped(one(shape=numbers([2**58]), strides=numbers([0]))), FORMAT,
                               'tensor "a": its strides make 1152921504606846976 bytes of it'),
    "stride_0_of_all_addresses": (zipped(one(shape=numbers([2**61 - 1]), strides=numbers([0]))), FORMAT,
                                  "its strides make 9223372036854775804 bytes of it"),
    "stride_0_over_the_file": (zipped(one(shape=numbers([250]), strides=numbers([0]))), FORMAT,
                               "its strides make 1000 bytes of it"),
    "stride_0_over_the_file_together": (
        zipped(dict_of(*[(key, tensor(shape=numbers([150]), strides=numbers([0]))) for key in "abc"])),
        FORMAT, 'tensor "b": its strides make 600 bytes of it, with those of others more than'),
    "tensor_of_five_arguments": (zipped(dict_of(("a", call("torch._utils", "_rebuild_tensor_v2", b"NNNNN")))),
                                 FORMAT, 'tensor "a": expected 6 or 7 arguments, got a tuple of 5'),
    "tensor_of_eight_arguments": (zipped(one(end=b"\x89" + HOOKS + b"}N")), FORMAT,
                                  "expected 6 or 7 arguments, got a tuple of 8"),
    "tensor_of_no_arguments": (zipped(dict_of(("a", call("torch._utils", "_rebuild_tensor_v2")))), FORMAT,
                               "expected 6 or 7 arguments, got a tuple of 0"),
    "tensor_to_be_negated": (zipped(one(end=b"\x89" + HOOKS + dict_of(("neg", b"\x88")))), UNSUPPORTED,
                             'tensor "a": has metadata of its own, such as "neg"'),
    "parameter_of_text": (zipped(dict_of(("a", call("torch._utils", "_rebuild_parameter", text("x"))))), FORMAT,
                          'expected a tensor as the parameter\'s data, got "x"'),
    "parameter_of_nothing": (zipped(dict_of(("a", call("torch._utils", "_rebuild_parameter")))), FORMAT,
                             "expected a tensor as the parameter's data, got nothing"),
    "parameter_of_a_parameter": (
        zipped(dict_of(("a", call("torch._utils", "_rebuild_parameter",
                                  call("torch._utils", "_rebuild_parameter", tensor()))))), FORMAT,
        "expected a tensor as the parameter's data, got what torch._utils._rebuild_parameter returns"),

    # The dict.
    "key_is_a_number": (zipped(dict_of((number(5), tensor()))), FORMAT,
                        "expected a tensor's name as key, got 5"),
    "key_is_bytes": (zipped(dict_of((b"C\x01a", tensor()))), FORMAT, "expected a tensor's name as key, got bytes"),
    "key_is_a_tensor": (zipped(dict_of((tensor(), tensor()))), FORMAT, "expected a tensor's name as key, got what"),
    "key_twice": (zipped(dict_of(("a", tensor()), ("a", tensor()))), FORMAT, 'tensor "a" occurs twice'),
    "key_of_513_bytes": (zipped(dict_of(("n" * 513, tensor()))), FORMAT,
                         "a name of 513 bytes, the limit is 512 (LoadLimits::tensor_name_bytes)"),
    "key_not_utf8": (zipped(dict_of((text(b"a\xff"), tensor()))), FORMAT, "its name is not UTF-8"),
    "entry_is_a_dict": (zipped(dict_of(("a", tensor()), ("b", b"}"))), UNSUPPORTED,
                        'entry "b": expected a tensor, got a dict'),
    "entry_is_a_list": (zipped(dict_of(("a", tensor()), ("b", b"]"))), UNSUPPORTED,
                        'entry "b": expected a tensor, got a list'),
    "entry_is_a_tuple": (zipped(dict_of(("a", tensor()), ("b", b")"))), UNSUPPORTED,
                         'entry "b": expected a tensor, got a tuple of 0'),
    "entry_is_a_storage": (zipped(dict_of(("a", tensor()), ("b", storage()))), UNSUPPORTED,
                           'entry "b": expected a tensor, got a storage'),
    "entry_is_a_type": (zipped(dict_of(("a", tensor()), ("b", name("torch", "HalfStorage")))), UNSUPPORTED,
                        'entry "b": expected a tensor, got torch.HalfStorage'),
    "root_is_a_list": (zipped(b"](" + tensor() + b"e"), UNSUPPORTED, "expected a dict of tensors, got a list"),
    "root_is_a_tensor": (zipped(tensor()), UNSUPPORTED,
                         "expected a dict of tensors, got what torch._utils._rebuild_tensor_v2 returns"),
    "root_is_a_number": (zipped(number(5)), UNSUPPORTED, "expected a dict of tensors, got 5"),
    "root_is_text": (zipped(text("x")), UNSUPPORTED, 'expected a dict of tensors, got "x"'),
    "root_is_a_type": (zipped(name("torch", "FloatStorage")), UNSUPPORTED, "got torch.FloatStorage"),
    "nested_under_another_name": (zipped(dict_of(("weights", GOOD))), UNSUPPORTED, "has tensors in dicts inside a dict"),
    "nested_twice": (zipped(dict_of(("state_dict", GOOD), ("model", GOOD))), UNSUPPORTED,
                     "has tensors in dicts inside a dict"),
    "nested_with_others": (zipped(dict_of(("state_dict", GOOD), ("average", GOOD))), UNSUPPORTED,
                           "has tensors in dicts inside a dict"),
    "nested_two_levels": (zipped(dict_of(("model", dict_of(("state_dict", GOOD))))), UNSUPPORTED,
                          'entry "state_dict": expected a tensor, got a dict'),
    "nested_without_tensors": (zipped(dict_of(("config", dict_of(("layers", number(2)))))), UNSUPPORTED,
                               'entry "config": expected a tensor, got a dict'),
    "cyclic_dict": (zipped(b"}q\x00" + text("a") + b"h\x00s"), UNSUPPORTED,
                    'entry "a": expected a tensor, got a dict'),
    "cyclic_state_dict": (zipped(b"}q\x00" + text("state_dict") + b"h\x00s"), UNSUPPORTED,
                          'entry "state_dict": expected a tensor, got a dict'),
    "cyclic_list": (zipped(dict_of(("a", b"]q\x00h\x00a"))), UNSUPPORTED,
                    'entry "a": expected a tensor, got a list'),
    "ordered_dict_of_text": (zipped(call("collections", "OrderedDict", text("abcd"))), FORMAT,
                             'expected an OrderedDict of pairs, got "abcd"'),
    "ordered_dict_of_triples": (zipped(call("collections", "OrderedDict", b"](](NNNee")), FORMAT,
                                "expected a pair in an OrderedDict, got a list"),
    "ordered_dict_of_itself": (zipped(call("collections", "OrderedDict", b"]q\x00h\x00a")), FORMAT,
                               "expected a pair in an OrderedDict, got a list"),
    "ordered_dict_of_dicts": (zipped(call("collections", "OrderedDict", b"](}NNse")), FORMAT,
                              "expected a pair in an OrderedDict, got a dict"),

    # ZIP: entries.
    "zip_compressed": (zipped(GOOD, pickle={"method": 8}), UNSUPPORTED,
                       'entry "archive/data.pkl": is compressed by method 8; only stored entries are read'),
    "zip_compressed_storage": (changed(method=93), UNSUPPORTED, "is compressed by method 93"),
    "zip_encrypted": (changed(flags=1), UNSUPPORTED, 'entry "archive/data/0": is encrypted'),
    "zip_strongly_encrypted": (changed(flags=0x41), UNSUPPORTED, "is encrypted"),
    "zip_masked": (changed(flags=0x2000), UNSUPPORTED, "is encrypted"),
    "zip_entry_in_volume_1": (changed(disk=1), UNSUPPORTED, "lies in another volume"),
    "zip_local_name_differs": (changed(local_name=b"archive/data/1"), FORMAT,
                               f"its local header at byte {STORAGE_AT - 44} differs from the central directory"),
    "zip_local_name_longer": (changed(local_name=b"archive/data/00"), FORMAT, "differs from the central"),
    "zip_local_method_differs": (changed(local_method=8), FORMAT, "differs from the central directory"),
    "zip_local_flags_differ": (changed(local_flags=1), FORMAT, "differs from the central directory"),
    "zip_local_crc_differs": (changed(local_crc=1), FORMAT, "differs from the central directory"),
    "zip_local_size_differs": (changed(local_size=4), FORMAT, "differs from the central directory"),
    "zip_local_stored_size_differs": (changed(local_stored=4), FORMAT, "differs from the central directory"),
    "zip_local_sizes_0_without_flag": (changed(local_stored=0, local_size=0, local_crc=0), FORMAT,
                                       "differs from the central directory"),
    "zip_local_sizes_partly_0": (changed(flags=8, local_stored=0, local_size=8, local_crc=0), FORMAT,
                                 "differs from the central directory"),
    "zip_local_zip64_differs": (
        changed(local_stored=2**32 - 1, local_size=2**32 - 1,
                local_extra=struct.pack("<HHQQ", 1, 16, 8, 4)), FORMAT, "differs from the central directory"),
    "zip_local_zip64_missing": (changed(local_stored=2**32 - 1, local_size=2**32 - 1), FORMAT,
                                "differs from the central directory"),
    "zip_local_header_elsewhere": (changed(begin=STORAGE_AT), FORMAT,
                                   f"expected its local header between byte {STORAGE_AT}"),
    "zip_local_header_is_none": (changed(local_signature=0), FORMAT, "expected its local header between byte"),
    "zip_entry_begins_after_the_end": (changed(begin=2**31), FORMAT,
                                       "expected its local header between byte 2147483648"),
    "zip_entry_begins_at_2_63": (
        changed(begin=2**32 - 1, extra=struct.pack("<HHQ", 1, 8, 2**63)), FORMAT,
        "expected its local header between byte 9223372036854775808"),
    "zip_two_entries_begin_after_the_end": (
        zipped(GOOD, storage={"begin": 2**30}, version={"begin": 2**31}), FORMAT,
        f"expected its local header between byte 1073741824 and byte {len(LOCALS)}"),
    "zip_two_entries_begin_at_2_62": (
        zipped(GOOD, storage={"begin": 2**32 - 1, "extra": struct.pack("<HHQ", 1, 8, 2**62)},
               version={"begin": 2**32 - 1, "extra": struct.pack("<HHQ", 1, 8, 2**63)}), FORMAT,
        f"expected its local header between byte 4611686018427387904 and byte {len(LOCALS)}"),
    "zip_two_entries_begin_in_the_directory": (
        zipped(GOOD, storage={"begin": len(LOCALS)}, version={"begin": len(LOCALS) + 100}), FORMAT,
        f"expected its local header between byte {len(LOCALS)} and byte {len(LOCALS)}"),
    "zip_entry_over_the_next": (changed(size=20, stored=20), FORMAT, "its 20 bytes run over byte"),
    "zip_entry_over_the_directory": (zipped(GOOD, version={"size": 100, "stored": 100}), FORMAT,
                                     'entry "archive/version": its 100 bytes run over byte'),
    "zip_entry_over_the_end": (changed(size=2**31, stored=2**31), FORMAT, "its 2147483648 bytes run over"),
    "zip_entry_of_2_63": (
        changed(size=2**32 - 1, stored=2**32 - 1, extra=struct.pack("<HHQQ", 1, 16, 2**63, 2**63)), FORMAT,
        "its 9223372036854775808 bytes run over byte"),
    "zip_entry_of_2_64": (
        changed(size=2**32 - 1, stored=2**32 - 1, extra=struct.pack("<HHQQ", 1, 16, 2**64 - 1, 2**64 - 1)),
        FORMAT, "its 18446744073709551615 bytes run over byte"),
    "zip_extra_over_the_next": (changed(local_extra_size=65535), FORMAT, "its 8 bytes run over byte"),
    "zip_name_over_the_next": (changed(local_name_size=65535), FORMAT, "its 8 bytes run over byte"),
    "zip_entry_inside_another": (
        archive(entries_for(GOOD, {"0": Entry("archive/data/1", b"").local()}) +
                [Entry("archive/data/1", b"", begin=STORAGE_AT)]), FORMAT,
        'entry "archive/data/0": its 44 bytes run over byte'),
    "zip_entries_share_a_header": (
        archive(entries_for(GOOD) + [Entry("archive/data/1", b"", begin=STORAGE_AT - 44)]), FORMAT,
        "expected its local header between byte"),
    "zip_entry_twice": (archive(entries_for(GOOD) + [Entry("archive/data/0", DATA)]), FORMAT,
                        'entry "archive/data/0": occurs twice'),
    "zip_pickle_twice": (archive(entries_for(GOOD) + [Entry("archive/data.pkl", b"}.")]), FORMAT,
                         'entry "archive/data.pkl": occurs twice'),
    "zip_name_with_nul": (archive(entries_for(GOOD) + [Entry("archive/data.pkl\0x", b"")]), FORMAT,
                          r'entry "archive/data.pkl\u0000x": has a NUL byte in its name'),
    "zip_stored_sizes_differ": (changed(stored=4), FORMAT, "is stored, and yet 8 bytes take 4"),
    "zip_zip64_field_missing": (changed(size=2**32 - 1, stored=2**32 - 1), FORMAT,
                                "its ZIP64 field is missing or too short"),
    "zip_zip64_field_short": (
        changed(size=2**32 - 1, stored=2**32 - 1, extra=struct.pack("<HHQ", 1, 8, 8)), FORMAT,
        "its ZIP64 field is missing or too short"),
    "zip_zip64_field_cut": (
        changed(size=2**32 - 1, stored=2**32 - 1, extra=struct.pack("<HHQ", 1, 16, 8)), FORMAT,
        "its ZIP64 field is missing or too short"),
    "zip_pickle_crc": (zipped(GOOD, pickle={"crc": 1}), FORMAT,
                       'entry "archive/data.pkl": its content does not have the CRC-32'),

    # ZIP: the central directory and what ends it.
    "zip_directory_after_the_end": (archive(entries_for(GOOD), begin=2**31), FORMAT,
                                    "bytes from byte 2147483648, where byte"),
    "zip_directory_over_the_end": (archive(entries_for(GOOD), size=len(DIRECTORY) + 1), FORMAT,
                                   f"a central directory of {len(DIRECTORY) + 1} bytes from byte"),
    "zip_directory_too_short": (archive(entries_for(GOOD), size=len(DIRECTORY) - 1), FORMAT,
                                "an entry that ends after the central directory"),
    "zip_directory_elsewhere": (archive(entries_for(GOOD), begin=len(LOCALS) - 1), FORMAT,
                                "expected the entry of the central directory"),
    "zip_directory_has_more": (archive(entries_for(GOOD), count=3), FORMAT,
                               "the central directory has more than its entries"),
    "zip_directory_has_fewer": (archive(entries_for(GOOD), count=5), FORMAT,
                                "expected the entry of the central directory"),
    "zip_65535_entries": (archive(entries_for(GOOD), count=65535), FORMAT,
                          f"65535 entries in {len(DIRECTORY)} bytes of central directory"),
    "zip_2_60_entries": (archive(entries_for(GOOD), count=65535, wide=wide_end(count=2**60)), FORMAT,
                         f"1152921504606846976 entries in {len(DIRECTORY)} bytes of central directory"),
    "zip_directory_then_a_gap": (archive(entries_for(GOOD), wide=lambda *_: b"\0" * 5), FORMAT,
                                 f"byte {len(LOCALS + DIRECTORY)}: the central directory ends here, expected at byte "
                                 f"{len(LOCALS + DIRECTORY) + 5}"),
    "zip_two_directories": (
        archive(entries_for(GOOD), wide=lambda *_: DIRECTORY), FORMAT,
        f"byte {len(LOCALS + DIRECTORY)}: the central directory ends here, expected at byte "
        f"{len(LOCALS + DIRECTORY * 2)}"),
    "zip_zip64_directory_then_a_gap": (
        archive(entries_for(GOOD), wide=lambda begin, size, count: b"\0" * 5 + wide_end(at=begin + size + 5)(
            begin, size, count)), FORMAT,
        f"byte {len(LOCALS + DIRECTORY)}: the central directory ends here, expected at byte "
        f"{len(LOCALS + DIRECTORY) + 5}"),
    "zip_zip64_record_then_a_gap": (
        archive(entries_for(GOOD), wide=lambda *sizes: wide_end()(*sizes)[:56] + b"\0" * 5 + (
            wide_end()(*sizes)[56:])), FORMAT,
        f"byte {len(LOCALS + DIRECTORY)}: a ZIP64 record that does not end at byte "
        f"{len(LOCALS + DIRECTORY) + 61}, where its locator begins"),
    "zip_several_volumes": (archive(entries_for(GOOD), volume=1), UNSUPPORTED, "an archive in several volumes"),
    "zip_zip64_several_volumes": (archive(entries_for(GOOD), wide=wide_end(volumes=2)), UNSUPPORTED,
                                  "an archive in several volumes"),
    "zip_zip64_directory_at_2_63": (
        archive(entries_for(GOOD), begin=2**32 - 1, wide=wide_end(begin=2**63)), FORMAT,
        "bytes from byte 9223372036854775808, where byte"),
    "zip_zip64_directory_of_2_64": (
        archive(entries_for(GOOD), size=2**32 - 1, wide=wide_end(size=2**64 - 1)), FORMAT,
        "a central directory of 18446744073709551615 bytes"),
    "zip_zip64_record_differs": (archive(entries_for(GOOD), wide=wide_end(begin=0)), FORMAT,
                                 "differs from the ZIP64 record"),
    "zip_zip64_record_elsewhere": (archive(entries_for(GOOD), wide=wide_end(at=1)), FORMAT,
                                   "byte 1: expected the ZIP64 end of the central directory"),
    "zip_zip64_record_at_2_64": (archive(entries_for(GOOD), wide=wide_end(at=2**64 - 1)), FORMAT,
                                 "byte 18446744073709551615: expected the ZIP64 end"),
    "zip_zip64_record_is_none": (archive(entries_for(GOOD), wide=wide_end(signature=0)), FORMAT,
                                 "expected the ZIP64 end of the central directory"),
    "zip_without_entries": (archive([]), FORMAT, "no NAME/data.pkl among the 0 entries"),
    "zip_then_a_byte": (ZIP + b"\0", FORMAT, CUT_ZIP),
    "zip_of_something_else": (archive([Entry("word/document.xml", b"<x/>")]), FORMAT,
                              "no NAME/data.pkl among the 1 entries"),
    "zip_pickle_without_folder": (archive([Entry("data.pkl", b"}.")]), FORMAT, "no NAME/data.pkl among"),
    "zip_pickle_deeper": (archive([Entry("a/b/data.pkl", b"}.")]), FORMAT, "no NAME/data.pkl among"),
    "zip_two_pickles": (archive(entries_for(GOOD) + [Entry("other/data.pkl", b"}.")]), FORMAT,
                        'several pickles, "archive/data.pkl" and "other/data.pkl"'),
    "zip_torchscript": (archive(entries_for(GOOD) + [Entry("archive/constants.pkl", b"\x80\x02).")]),
                        UNSUPPORTED, "is a TorchScript archive, which has a program in it"),
    "zip_big_endian": (zipped(GOOD, byteorder={"content": b"big"}), UNSUPPORTED,
                       'byteorder: expected "little", got "big"'),
    "zip_byteorder_crc": (zipped(GOOD, byteorder={"crc": 1}), FORMAT, "does not have the CRC-32"),
    "zip_version_11": (zipped(GOOD, version={"content": b"11\n"}), UNSUPPORTED,
                       r'version: expected "3\n", got "11\n"'),
    "zip_cut_in_local_header": (ZIP[:20], FORMAT, CUT_ZIP),
    "zip_cut_in_pickle": (ZIP[:STATE_AT + 20], FORMAT, CUT_ZIP),
    "zip_cut_in_storage": (ZIP[:STORAGE_AT + 4], FORMAT, CUT_ZIP),
    "zip_cut_in_directory": (ZIP[:len(LOCALS) + 20], FORMAT, CUT_ZIP),
    "zip_cut_in_end": (ZIP[:-1], FORMAT, CUT_ZIP),
    "zip_signature_alone": (b"PK\x03\x04", FORMAT, CUT_ZIP),

    # The legacy layout.
    "legacy_is_another_pickle": (b"\x80\x02}X\x01\0\0\0aK\1s.", FORMAT,
                                 "byte 0: a pickle that torch.save did not write: expected its magic number, "
                                 "got a dict"),
    "legacy_is_a_numpy_pickle": (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n.", UNSUPPORTED,
                                 'the name "numpy.core.multiarray._reconstruct"'),
    "legacy_magic_differs": (legacy(magic=MAGIC + 1), FORMAT, "expected its magic number, got an integer"),
    "legacy_magic_is_small": (legacy(magic=MAGIC & 0xFFFFFFFF), FORMAT, "expected its magic number, got 1184693356"),
    "legacy_version_1002": (legacy(version=number(1002)), UNSUPPORTED,
                            "byte 15: expected version 1001 of torch's format, got 1002"),
    "legacy_version_is_text": (legacy(version=text("1001")), UNSUPPORTED, 'format, got "1001"'),
    "legacy_big_endian": (legacy(info=dict_of(("little_endian", b"\x89"))), UNSUPPORTED,
                          "written on a big-endian machine"),
    "legacy_endianness_missing": (legacy(info=b"}"), FORMAT, 'expected a dict with "little_endian"'),
    "legacy_endianness_is_1": (legacy(info=dict_of(("little_endian", number(1)))), FORMAT,
                               'expected a dict with "little_endian"'),
    "legacy_info_is_a_list": (legacy(info=b"]"), FORMAT, 'expected a dict with "little_endian"'),
    "legacy_keys_lack_one": (legacy(keys=(), storages=b""), FORMAT,
                             'tensor "a": its storage "0" is not in the file'),
    "legacy_keys_and_more_data": (legacy(keys=()), FORMAT, "16 bytes after the last storage"),
    "legacy_keys_have_another": (legacy(keys=(text("0"), text("1"))), FORMAT,
                                 'the list of storages has "1", which no tensor has or which came before'),
    "legacy_keys_twice": (legacy(keys=(text("0"), text("0"))), FORMAT, 'the list of storages has "0"'),
    "legacy_keys_of_numbers": (legacy(keys=(number(0),)), FORMAT, "the list of storages has 0"),
    "legacy_keys_are_a_tuple": (legacy(key_list=b")"), FORMAT, "expected the list of storages, got a tuple"),
    "legacy_keys_contain_themselves": (legacy(key_list=b"]q\x00h\x00a"), FORMAT,
                                       "the list of storages has a list"),
    "legacy_count_differs": (legacy(storages=struct.pack("<q2f", 1, 1, 2)), FORMAT,
                             'storage "0" has 1 elements here and 2 for its tensors'),
    "legacy_count_negative": (legacy(storages=struct.pack("<q2f", -2, 1, 2)), FORMAT,
                              "has 18446744073709551614 elements here"),
    "legacy_count_wraps": (legacy(storages=struct.pack("<Q2f", 2**62 + 2, 1, 2)), FORMAT,
                           "has 4611686018427387906 elements here"),
    "legacy_storage_over_the_end": (
        legacy(one(storage("0", 2**40, "FloatStorage", b"N")), storages=struct.pack("<q2f", 2**40, 1, 2)),
        FORMAT, 'storage "0" of 4398046511104 bytes and its size in the 16 left: is it cut short?'),
    "legacy_storage_of_2_62_bytes": (
        legacy(one(storage("0", 2**60, "FloatStorage", b"N")), storages=struct.pack("<q2f", 2**60, 1, 2)),
        FORMAT, "of 4611686018427387904 bytes and its size in the 16 left"),
    "legacy_storage_of_two_types": (
        legacy(dict_of(("a", tensor(storage("0", 2, "FloatStorage", b"N"))),
                       ("b", tensor(storage("0", 2, "IntStorage", b"N"))))), FORMAT,
        'storage "0" has two types or sizes'),
    "legacy_storage_of_two_sizes": (
        legacy(dict_of(("a", tensor(storage("0", 2, "FloatStorage", b"N"))),
                       ("b", tensor(storage("0", 1, "FloatStorage", b"N"), shape=numbers([1]))))), FORMAT,
        'storage "0" has two types or sizes'),
    "legacy_module": (legacy(b"(" + text("module") + b"NNNtQ"), UNSUPPORTED,
                      "a storage: expected what torch.save puts in place of a storage"),
    "legacy_view_outside": (
        legacy(one(storage("0", 2, "FloatStorage", b"(" + text("v") + number(1) + number(2) + b"t"))), FORMAT,
        "its storage's view: 2 elements from 1 on, of 2"),
    "legacy_view_wraps": (
        legacy(one(storage("0", 2, "FloatStorage", b"(" + text("v") + number(2) + number(2**63 - 1) + b"t"))),
        FORMAT, "its storage's view: 9223372036854775807 elements from 2 on, of 2"),
    "legacy_view_negative": (
        legacy(one(storage("0", 2, "FloatStorage", b"(" + text("v") + number(-1) + number(2) + b"t"))), FORMAT,
        "its storage's view: expected an integer in [0, 2^63), got -1"),
    "legacy_view_too_small": (
        legacy(one(storage("0", 2, "FloatStorage", b"(" + text("v") + number(1) + number(1) + b"t"))), FORMAT,
        "leave its storage of 1 elements"),
    "legacy_view_of_two_parts": (legacy(one(storage("0", 2, "FloatStorage", numbers([0, 2])))), FORMAT,
                                 "expected a storage's view of three parts, got a tuple of 2"),
    "legacy_view_is_true": (legacy(one(storage("0", 2, "FloatStorage", b"\x88"))), FORMAT,
                            "expected a storage's view of three parts, got True"),
    "legacy_then_a_byte": (legacy() + b"\0", FORMAT, "1 bytes after the last storage"),
}

# Every opcode that takes values from the stack, with one too few.
for label, needed, opcode in (("tuple1", 1, b"\x85"), ("tuple2", 2, b"\x86"), ("tuple3", 3, b"\x87"),
                              ("append", 2, b"a"), ("item", 3, b"s"), ("put", 1, b"q\x00"),
                              ("long_put", 1, b"r\0\0\0\0"), ("memoize", 1, b"\x94"),
                              ("stack_global", 2, b"\x93"), ("reduce", 2, b"R"), ("build", 2, b"b"),
                              ("persistent_id", 1, b"Q")):
    # On an empty stack, and above a mark: values under it must be out of reach.
    values = text("x") if label == "stack_global" else b"]))"[:needed - 1]
    for where, front in (("", b""), ("_above_a_mark", b"]]](")):
        cases[f"too_few_for_{label}{where}"] = (raw(b"\x80\x04" + front + values + opcode + b"."), FORMAT,
                                                "the stack has too few values for the opcode here")
cases["too_few_for_items"] = (raw(b"\x80\x02(NNu."), FORMAT, "the stack has too few values")
cases["too_few_for_appends"] = (raw(b"\x80\x02(Ne."), FORMAT, "the stack has too few values")

# The legacy layout, cut inside each of its parts.
PARTS = legacy_parts()
for index, label in enumerate(("magic", "version", "info", "state", "keys", "storage")):
    part = PARTS[index]
    content = b"".join(PARTS[:index]) + part[:len(part) // 2 + (label == "storage")]
    cases[f"legacy_cut_in_{label}"] = (content, FORMAT, "is it cut short?")
cases["legacy_cut_in_count"] = (b"".join(PARTS[:5]) + PARTS[5][:4], FORMAT, "is it cut short?")
cases["legacy_cut_before_storages"] = (b"".join(PARTS[:5]), FORMAT, "is it cut short?")

if __name__ == "__main__":
    write("torch", ".bin", cases)
