#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the malformed files beside it: one file a case, named by what is wrong with it.

Each folder gets expected.tsv: file, error code, and a part of the text that the error must have.
The tests read that table, and fail for a file that it does not list.
"""

import json
import pathlib
import shutil
import struct

HERE = pathlib.Path(__file__).resolve().parent


def write(folder, suffix, cases):
    where = HERE / folder
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir()
    table = []
    for name, (content, code, fragment) in sorted(cases.items()):
        (where / (name + suffix)).write_bytes(content)
        table.append(f"{name}{suffix}\t{code}\t{fragment}\n")
    (where / "expected.tsv").write_text("".join(table), encoding="utf-8")


def safetensors(header, data=b""):
    """A file with this header: bytes, or what json.dumps takes. No padding."""
    if not isinstance(header, bytes):
        header = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(header)) + header + data


def tensor(shape, begin, end, dtype="F32", **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


def one(shape, begin, end, dtype="F32", data=b"\0" * 8, **more):
    """A file with the one tensor "a"."""
    return safetensors({"a": tensor(shape, begin, end, dtype, **more)}, data)


GOOD = tensor([2], 0, 8)
DATA = b"\0" * 8
FORMAT = "format"

safetensors_cases = {
    # The length in front.
    "empty_file": (b"", FORMAT, "0 bytes are too few"),
    "seven_bytes": (b"\2\0\0\0\0\0\0", FORMAT, "7 bytes are too few"),
    "length_alone": (struct.pack("<Q", 2), FORMAT, "a header of 2 bytes in a file of 8"),
    "length_zero": (struct.pack("<Q", 0), FORMAT, "a header of 0 bytes, expected 2 to"),
    "length_one": (struct.pack("<Q", 1) + b"{", FORMAT, "a header of 1 bytes, expected 2 to"),
    "length_one_over_the_file": (struct.pack("<Q", 3) + b"{}", FORMAT,
                                 "a header of 3 bytes in a file of 10: is it cut short?"),
    "length_over_the_limit": (struct.pack("<Q", 100_000_001) + b"{}", FORMAT,
                              "a header of 100000001 bytes, expected 2 to 100000000"),
    "length_negative": (b"\xff" * 8 + b"{}", FORMAT, "a header of 18446744073709551615 bytes"),
    "length_wraps_with_prefix": (struct.pack("<Q", 2**64 - 8) + b"{}", FORMAT,
                                 "a header of 18446744073709551608 bytes"),
    "length_big_endian": (struct.pack(">Q", 2) + b"{}", FORMAT,
                          "a header of 144115188075855872 bytes"),
    "length_wraps_at_32_bits": (struct.pack("<Q", 2**32 + 2) + b"{}", FORMAT,
                                "a header of 4294967298 bytes, expected 2 to"),
    "length_wraps_at_63_bits": (struct.pack("<Q", 2**63 + 2) + b"{}", FORMAT,
                                "a header of 9223372036854775810 bytes, expected 2 to"),
    "git_lfs_pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
                        FORMAT, "is a Git LFS pointer"),
    "zip_archive": (b"PK\3\4" + b"\0" * 26, FORMAT, "byte 0: a header of 67324752 bytes"),
    "torch_pickle": (b"\x80\2}q\0X\1\0\0\0aq\1", FORMAT, "byte 0: a header of "),
    "gguf_file": (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), FORMAT,
                  "byte 0: a header of "),
    "json_file": (b'{"model_type": "t5"}', FORMAT, "byte 0: a header of "),
    "web_page": (b"<!DOCTYPE html><html></html>", FORMAT, "byte 0: a header of "),
    # The header as JSON.
    "header_not_json": (safetensors(b"{what?}"), FORMAT, "header: byte 1: not readable as JSON"),
    "header_cut": (safetensors(b'{"a":{"dtype":"F32"'), FORMAT, "unexpected end of input"),
    "header_of_spaces": (safetensors(b"        "), FORMAT, "the header does not begin with {"),
    "header_after_a_space": (safetensors(b" {}"), FORMAT, "the header does not begin with {"),
    "header_after_a_byte_order_mark": (safetensors(b"\xef\xbb\xbf{}"), FORMAT,
                                       "the header does not begin with {"),
    "header_is_an_array": (safetensors(b"[]"), FORMAT, "the header does not begin with {"),
    "header_then_garbage": (safetensors(b"{}x"), FORMAT, "header: byte 2: not readable as JSON"),
    "header_then_nul": (safetensors(b"{}\0"), FORMAT, "header: byte 2: not readable as JSON: a NUL"),
    "header_then_nul_and_tensors": (safetensors(b'{}\0{"a":1}'), FORMAT, "a NUL byte"),
    "header_then_second_header": (safetensors(b"{}{}"), FORMAT, "expected end of input"),
    "header_not_utf8": (safetensors(b'{"\xff":1}'), FORMAT, "ill-formed UTF-8"),
    "header_utf16": (safetensors("{}".encode("utf-16-le")), FORMAT,
                     "header: byte 1: not readable as JSON: a NUL"),
    "header_with_lone_surrogate": (safetensors(b'{"\\ud800":1}'), FORMAT, "surrogate"),
    "header_with_cut_escape": (safetensors(b'{"\\u00'), FORMAT, "not readable as JSON"),
    "header_without_tensors_end": (safetensors(b'{"a":{"dtype":"F32","shape":[2],'
                                               b'"data_offsets":[0,8]}', DATA),
                                   FORMAT, "not readable as JSON"),
    "header_nested": (safetensors(b'{"a":{"shape":[[[]]]}}'), FORMAT,
                      "header: /a/shape/0/0: nested deeper than 4"),
    "name_twice": (safetensors(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
                               b'"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', DATA),
                   FORMAT, "header: /a: occurs twice"),
    "name_twice_once_escaped": (
        safetensors(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
                    b'"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', DATA),
        FORMAT, "header: /a: occurs twice"),
    "name_of_513_bytes": (safetensors({"n" * 513: GOOD}, DATA), FORMAT, "a name of 513 bytes"),
    # The metadata.
    "metadata_twice": (safetensors(b'{"__metadata__":{},"__metadata__":{}}'), FORMAT,
                       "header: /__metadata__: occurs twice"),
    "metadata_is_text": (safetensors({"__metadata__": "pt"}), FORMAT,
                         "/__metadata__: expected an object, got \"pt\""),
    "metadata_of_numbers": (safetensors({"__metadata__": {"epoch": 3}}), FORMAT,
                            "/__metadata__/epoch: expected a string, got 3"),
    "metadata_of_objects": (safetensors({"__metadata__": {"a": {}}}), FORMAT,
                            "/__metadata__/a: expected a string, got an object of 0"),
    "metadata_is_a_tensor": (safetensors({"__metadata__": GOOD}, DATA), FORMAT,
                             "/__metadata__/shape: expected a string, got an array of 1"),
    "metadata_is_null": (safetensors({"__metadata__": None}), FORMAT,
                         "/__metadata__: expected an object, got null"),
    "metadata_of_null": (safetensors({"__metadata__": {"format": None}}), FORMAT,
                         "/__metadata__/format: expected a string, got null"),
    "metadata_name_twice": (safetensors(b'{"__metadata__":{"a":"1","a":"2"}}'), FORMAT,
                            "header: /__metadata__/a: occurs twice"),
    # A tensor's members.
    "tensor_is_a_number": (safetensors({"a": 1}), FORMAT, "/a: expected an object, got 1"),
    "tensor_is_null": (safetensors({"a": None}), FORMAT, "/a: expected an object, got null"),
    "tensor_is_empty": (safetensors({"a": {}}), FORMAT, "/a/dtype: is missing"),
    "tensor_without_shape": (safetensors({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, DATA),
                             FORMAT, "/a/shape: is missing"),
    "tensor_without_offsets": (safetensors({"a": {"dtype": "F32", "shape": [2]}}, DATA), FORMAT,
                               "/a/data_offsets: is missing"),
    "tensor_with_more": (one([2], 0, 8, stride=[1]), FORMAT,
                         "/a: expected dtype, shape and data_offsets alone, got an object of 4"),
    "tensor_is_an_array": (safetensors({"a": ["F32", [2], [0, 8]]}, DATA), FORMAT,
                           "/a: expected an object, got an array of 3"),
    "tensor_with_member_twice": (
        safetensors(b'{"a":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,8]}}', DATA),
        FORMAT, "header: /a/shape: occurs twice"),
    "tensor_with_null_shape": (safetensors({"a": {**GOOD, "shape": None}}, DATA), FORMAT,
                               "/a/shape: expected an array, got null"),
    "dtype_is_a_number": (one([2], 0, 8, 32), FORMAT, "/a/dtype: expected a string, got 32"),
    "dtype_in_small_letters": (one([2], 0, 8, "f32"), "unsupported",
                               "/a/dtype: the type \"f32\""),
    "dtype_of_8_bits": (one([8], 0, 8, "F8_E4M3"), "unsupported",
                        "/a/dtype: the type \"F8_E4M3\""),
    "dtype_of_4_bits": (one([16], 0, 8, "F4"), "unsupported", "/a/dtype: the type \"F4\""),
    "dtype_of_8_bit_scales": (one([8], 0, 8, "F8_E8M0"), "unsupported",
                              "/a/dtype: the type \"F8_E8M0\""),
    "dtype_is_a_path": (one([2], 0, 8, "../../F32"), "unsupported",
                        "/a/dtype: the type \"../../F32\""),
    "dtype_is_null": (one([2], 0, 8, None), FORMAT, "/a/dtype: expected a string, got null"),
    "dtype_then_nul": (one([2], 0, 8, "F32\0"), "unsupported",
                       "/a/dtype: the type \"F32\\u0000\""),
    "dtype_complex": (one([1], 0, 8, "C64"), "unsupported", "/a/dtype: the type \"C64\""),
    "dtype_is_empty": (one([2], 0, 8, ""), "unsupported", "/a/dtype: the type \"\""),
    # Shapes.
    "shape_is_a_number": (one(2, 0, 8), FORMAT, "/a/shape: expected an array, got 2"),
    "shape_of_text": (one(["2"], 0, 8), FORMAT, "/a/shape/0: expected an integer in [0, "),
    "shape_of_null": (one([None], 0, 8), FORMAT, "/a/shape/0: expected an integer in [0, "),
    "shape_of_true": (one([True], 0, 4), FORMAT, "got true"),
    "shape_with_fraction": (one([2.5], 0, 8), FORMAT, "got 2.5"),
    "shape_of_whole_real": (one([2.0], 0, 8), FORMAT, "got 2.0"),
    "shape_of_1e308": (one([1e308], 0, 8), FORMAT, "got 1e+308"),
    "shape_negative": (one([1, -2], 0, 8), FORMAT, "/a/shape/1: expected an integer in [0, "),
    "shape_twice_negative": (one([-1, -2], 0, 8), FORMAT, "/a/shape/0: expected an integer in [0, "),
    "shape_beyond_int64": (one([2**63], 0, 8), FORMAT, "got 9223372036854775808"),
    "shape_beyond_uint64": (one([2**64 + 2], 0, 8), FORMAT, "got 18446744073709551618"),
    "shape_of_9_dimensions": (one([1] * 8 + [2], 0, 8), FORMAT,
                              "/a/shape: 9 dimensions, the limit is 8"),
    "shape_product_wraps_to_0": (one([2**32, 2**32], 0, 0, data=b""), FORMAT,
                                 "the size of F32 [4294967296, 4294967296] overflows"),
    "shape_bytes_wrap_to_8": (one([2**62 + 2], 0, 8), FORMAT,
                              "the size of F32 [4611686018427387906] overflows"),
    "shape_bytes_wrap_to_0": (one([2**61], 0, 0, "F64", data=b""), FORMAT,
                              "the size of F64 [2305843009213693952] overflows"),
    "shape_bytes_wrap_at_32_bits": (one([2**30 + 2], 0, 8), FORMAT,
                                    "F32 [1073741826] takes 4294967304 bytes"),
    "shape_of_an_array": (one([[2]], 0, 8), FORMAT,
                          "/a/shape/0: expected an integer in [0, 9223372036854775807], got an "
                          "array of 1"),
    "shape_overflow_after_0": (one([0, 2**40, 2**40], 0, 0, data=b""), FORMAT, "overflows"),
    "shape_overflow_before_0": (one([2**40, 2**40, 0], 0, 0, data=b""), FORMAT, "overflows"),
    "shape_of_exabytes": (one([2**58], 0, 2**60), FORMAT,
                          "its bytes [0, 1152921504606846976) end after the data's 8"),
    "shape_too_small_for_its_bytes": (one([1], 0, 8), FORMAT,
                                      "F32 [1] takes 4 bytes, data_offsets give it 8"),
    "shape_too_big_for_its_bytes": (one([3], 0, 8), FORMAT,
                                    "F32 [3] takes 12 bytes, data_offsets give it 8"),
    "shape_empty_with_bytes": (one([0], 0, 8), FORMAT,
                               "F32 [0] takes 0 bytes, data_offsets give it 8"),
    # Offsets.
    "offsets_is_a_number": (safetensors({"a": {**GOOD, "data_offsets": 8}}, DATA), FORMAT,
                            "/a/data_offsets: expected an array, got 8"),
    "offsets_of_one": (safetensors({"a": {**GOOD, "data_offsets": [8]}}, DATA), FORMAT,
                       "/a/data_offsets: expected two offsets, got an array of 1"),
    "offsets_of_three": (safetensors({"a": {**GOOD, "data_offsets": [0, 4, 8]}}, DATA), FORMAT,
                         "/a/data_offsets: expected two offsets, got an array of 3"),
    "offsets_reversed": (one([2], 8, 0), FORMAT, "/a/data_offsets/1: expected an integer in [8, "),
    "offsets_negative": (one([2], -8, 0), FORMAT, "/a/data_offsets/0: expected an integer in [0, "),
    "offsets_with_fraction": (one([2], 0, 8.0), FORMAT, "/a/data_offsets/1: expected an integer"),
    "offsets_of_null": (one([2], None, 8), FORMAT, "/a/data_offsets/0: expected an integer"),
    "offsets_of_1e3": (safetensors(b'{"a":{"dtype":"U8","shape":[1000],"data_offsets":[0,1e3]}}'),
                       FORMAT, "/a/data_offsets/1: expected an integer in [0, "),
    "offsets_wrap_at_32_bits": (one([2], 2**32, 2**32 + 8), FORMAT,
                                "its bytes [4294967296, 4294967304) end after the data's 8"),
    "offsets_wrap_with_the_header": (one([2], 2**63 - 16, 2**63 - 8), FORMAT,
                                     "its bytes [9223372036854775792, 9223372036854775800) end "
                                     "after the data's 8"),
    "offsets_beyond_int64": (one([2], 2**64 - 8, 2**64), FORMAT,
                             "/a/data_offsets/0: expected an integer in [0, "),
    "offsets_of_text": (one([2], "0", "8"), FORMAT,
                        "/a/data_offsets/0: expected an integer in [0, "),
    "offsets_after_the_file": (one([2], 8, 16), FORMAT,
                               "tensor \"a\": its bytes [8, 16) end after the data's 8"),
    # The layout.
    "data_absent": (one([2], 0, 8, data=b""), FORMAT, "end after the data's 0: is the file cut"),
    "data_cut_by_one": (one([2], 0, 8, data=b"\0" * 7), FORMAT, "end after the data's 7"),
    "data_one_too_many": (one([2], 0, 8, data=b"\0" * 9), FORMAT,
                          "the tensors take 8 bytes, the data has 9"),
    "data_of_nobody": (safetensors({}, DATA), FORMAT, "the tensors take 0 bytes, the data has 8"),
    "hole_in_front": (one([1], 4, 8), FORMAT, "its bytes [4, 8) leave a hole after byte 0"),
    "hole_between": (safetensors({"a": tensor([1], 0, 4), "b": tensor([1], 8, 12)}, b"\0" * 12),
                     FORMAT, "tensor \"b\": its bytes [8, 12) leave a hole after byte 4"),
    "overlap": (safetensors({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, b"\0" * 12),
                FORMAT, "tensor \"b\": its bytes [4, 12) overlap those of \"a\""),
    "overlap_inside": (safetensors({"a": tensor([3], 0, 12), "b": tensor([1], 4, 8)}, b"\0" * 12),
                       FORMAT, "tensor \"b\": its bytes [4, 8) overlap those of \"a\""),
    "overlap_same_bytes": (safetensors({"a": GOOD, "b": GOOD}, DATA), FORMAT,
                           "its bytes [0, 8) overlap those of"),
    "overlap_with_empty_tensor": (
        safetensors({"a": GOOD, "b": tensor([0], 4, 4)}, DATA), FORMAT,
        "tensor \"b\": its bytes [4, 4) overlap those of \"a\""),
    "empty_tensor_after_the_data": (
        safetensors({"a": GOOD, "b": tensor([0], 16, 16)}, DATA), FORMAT,
        "tensor \"b\": its bytes [16, 16) end after the data's 8"),
    "empty_tensor_in_a_hole": (
        safetensors({"a": tensor([1], 0, 4), "b": tensor([0], 6, 6), "c": tensor([1], 6, 10)},
                    b"\0" * 10),
        FORMAT, "tensor \"b\": its bytes [6, 6) leave a hole after byte 4"),
    "empty_tensor_hides_a_hole": (
        safetensors({"a": tensor([0], 0, 0), "b": tensor([1], 4, 8)}, DATA), FORMAT,
        "tensor \"b\": its bytes [4, 8) leave a hole after byte 0"),
}

json_cases = {
    # Where the text ends.
    "empty_file": (b"", FORMAT, "byte 0: not readable as JSON"),
    "spaces_alone": (b" \n\t ", FORMAT, "unexpected end of input"),
    "byte_order_mark_alone": (b"\xef\xbb\xbf", FORMAT, "unexpected end of input"),
    "byte_order_mark_cut": (b"\xef\xbb", FORMAT, "BOM"),
    "object_open": (b'{"a":1', FORMAT, "byte 6: not readable as JSON"),
    "array_open": (b"[1,2", FORMAT, "byte 4: not readable as JSON"),
    "string_open": (b'"abc', FORMAT, "missing closing quote"),
    "key_alone": (b'{"a"}', FORMAT, "byte 4: not readable as JSON"),
    "garbage_after": (b"{} x", FORMAT, "byte 3: not readable as JSON"),
    "second_value_after": (b"1 2", FORMAT, "expected end of input"),
    "nul_after": (b"{}\0", FORMAT, "byte 2: not readable as JSON: a NUL byte"),
    "garbage_after_nul": (b'{}\0{"d_model":0}', FORMAT, "a NUL byte"),
    "nul_in_string": (b'"a\0b"', FORMAT, "byte 2: not readable as JSON: a NUL byte"),
    # Not JSON, and near to it.
    "comma_trailing": (b"[1,]", FORMAT, "byte 3: not readable as JSON"),
    "comma_missing": (b"[1 2]", FORMAT, "byte 3: not readable as JSON"),
    "comma_leading": (b"[,1]", FORMAT, "byte 1: not readable as JSON"),
    "brackets_crossed": (b'{"a":[1}', FORMAT, "byte 7: not readable as JSON"),
    "key_is_a_number": (b"{1:2}", FORMAT, "byte 1: not readable as JSON"),
    "comment": (b"/* c */ {}", FORMAT, "byte 0: not readable as JSON"),
    "comment_of_a_line": (b"{} // c", FORMAT, "byte 3: not readable as JSON"),
    "quotes_single": (b"{'a':1}", FORMAT, "byte 1: not readable as JSON"),
    "literal_capital": (b"True", FORMAT, "byte 0: not readable as JSON"),
    "literal_cut": (b"[nul]", FORMAT, "byte 4: not readable as JSON"),
    "python_none": (b'{"a":None}', FORMAT, "byte 5: not readable as JSON"),
    "xml": (b"<html></html>", FORMAT, "byte 0: not readable as JSON"),
    # Numbers.
    "number_nan": (b'{"eps":NaN}', FORMAT, "byte 7: not readable as JSON"),
    "number_infinity": (b'{"eps":Infinity}', FORMAT, "byte 7: not readable as JSON"),
    "number_minus_infinity": (b'{"eps":-Infinity}', FORMAT, "byte 8: not readable as JSON"),
    "number_1e999": (b'{"eps":1e999}', FORMAT, "number overflow"),
    "number_minus_1e999": (b'{"eps":-1e999}', FORMAT, "number overflow"),
    "number_of_400_digits": (b"9" * 400, FORMAT, "number overflow"),
    "number_leading_zero": (b"[01]", FORMAT, "byte 2: not readable as JSON"),
    "number_plus": (b"[+1]", FORMAT, "byte 1: not readable as JSON"),
    "number_hexadecimal": (b"[0x10]", FORMAT, "byte 2: not readable as JSON"),
    "number_point_alone": (b"[1.]", FORMAT, "byte 3: not readable as JSON"),
    "number_exponent_alone": (b"[1e]", FORMAT, "byte 3: not readable as JSON"),
    "number_comma_for_point": (b'{"a":1,5}', FORMAT, "byte 7: not readable as JSON"),
    # Strings.
    "string_with_newline": (b'"a\nb"', FORMAT, "byte 2: not readable as JSON"),
    "string_with_bad_escape": (b'"\\x41"', FORMAT, "byte 2: not readable as JSON"),
    "string_with_cut_escape": (b'"\\u00', FORMAT, "not readable as JSON"),
    "surrogate_high_alone": (b'"\\ud800"', FORMAT, "surrogate"),
    "surrogate_low_alone": (b'"\\udc00"', FORMAT, "surrogate"),
    "surrogate_high_twice": (b'"\\ud800\\ud800"', FORMAT, "surrogate"),
    "utf8_lone_continuation": (b'"\x80"', FORMAT, "ill-formed UTF-8"),
    "utf8_cut": (b'"\xe2\x82"', FORMAT, "ill-formed UTF-8"),
    "utf8_overlong_slash": (b'"\xc0\xaf"', FORMAT, "ill-formed UTF-8"),
    "utf8_overlong_three_bytes": (b'"\xe0\x80\xaf"', FORMAT, "ill-formed UTF-8"),
    "utf8_surrogate": (b'"\xed\xa0\x80"', FORMAT, "ill-formed UTF-8"),
    "utf8_above_10ffff": (b'"\xf4\x90\x80\x80"', FORMAT, "ill-formed UTF-8"),
    "utf8_bad_in_key": (b'{"\xff":1}', FORMAT, "ill-formed UTF-8"),
    "utf16": ('{"a":1}'.encode("utf-16-le"), FORMAT, "a NUL byte"),
    # Objects.
    "key_twice": (b'{"d_model":8,"d_model":16}', FORMAT, "/d_model: occurs twice"),
    "key_twice_once_escaped": (b'{"a":1,"\\u0061":2}', FORMAT, "/a: occurs twice"),
    "key_twice_and_empty": (b'{"":1,"":2}', FORMAT, "/: occurs twice"),
    "key_twice_deep": (b'[0,{"x":{"b":1,"c":2,"b":3}}]', FORMAT, "/1/x/b: occurs twice"),
    # Nesting.
    "nested_65_arrays": (b"[" * 65 + b"]" * 65, FORMAT, "nested deeper than 64"),
    "nested_65_objects": (b'{"a":' * 65 + b"1" + b"}" * 65, FORMAT, "nested deeper than 64"),
    "nested_and_open": (b"[" * 200, FORMAT, "nested deeper than 64"),
}


def index(weight_map, **more):
    """An index as transformers writes it; the test puts shards beside it (see shard_index_test)."""
    return json.dumps({"metadata": {"total_size": 12}, "weight_map": weight_map, **more},
                      separators=(",", ":")).encode()


# What the shards beside the index hold.
ONE, TWO = "one.safetensors", "two.safetensors"
MAP = {"a": ONE, "b": ONE, "c": TWO}
BARE = "expected the bare name of a file beside the index, got "


def named(shard):
    """An index that gives tensor c to this shard."""
    return index({**MAP, "c": shard})


index_cases = {
    # The text.
    "empty_file": (b"", FORMAT, "index.json: byte 0: not readable as JSON"),
    "not_json": (b"weights", FORMAT, "index.json: byte 0: not readable as JSON"),
    "cut": (index(MAP)[:-9], FORMAT, "not readable as JSON"),
    "then_garbage": (index(MAP) + b"x", FORMAT, "not readable as JSON"),
    "then_nul": (index(MAP) + b"\0", FORMAT, "a NUL byte"),
    "not_utf8": (index({"\u00e9": ONE}).replace(b"\\u00e9", b"\xe9"), FORMAT, "ill-formed UTF-8"),
    "utf16": (index(MAP).decode().encode("utf-16-le"), FORMAT, "a NUL byte"),
    "git_lfs_pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
                        FORMAT, "byte 0: not readable as JSON"),
    "safetensors_file": (one([2], 0, 8), FORMAT, "a NUL byte"),
    "is_an_array": (b"[]", FORMAT, "index.json: expected an object, got an array of 0"),
    "is_null": (b"null", FORMAT, "index.json: expected an object, got null"),
    "is_empty": (b"{}", FORMAT, "index.json: /weight_map: is missing"),
    "nested": (b'{"weight_map":' + b"[" * 65 + b"]" * 65 + b"}", FORMAT, "nested deeper than 64"),
    # The metadata.
    "metadata_is_text": (index(MAP, metadata="pt"), FORMAT,
                         "/metadata: expected an object, got \"pt\""),
    "metadata_is_an_array": (index(MAP, metadata=[12]), FORMAT,
                             "/metadata: expected an object, got an array of 1"),
    "metadata_twice": (index(MAP)[:-1] + b',"metadata":{}}', FORMAT, "/metadata: occurs twice"),
    "total_size_is_text": (index(MAP, metadata={"total_size": "12"}), FORMAT,
                           "/metadata/total_size: expected a number in ["),
    "total_size_is_an_object": (index(MAP, metadata={"total_size": {}}), FORMAT,
                                "/metadata/total_size: expected a number in ["),
    "total_size_is_true": (index(MAP, metadata={"total_size": True}), FORMAT, "got true"),
    "total_size_is_nan": (index(MAP, metadata={"total_size": float("nan")}), FORMAT,
                          "not readable as JSON"),
    "total_size_is_1e999": (index(MAP).replace(b"12", b"1e999"), FORMAT, "number overflow"),
    # The map.
    "map_missing": (b'{"metadata":{"total_size":12}}', FORMAT, "/weight_map: is missing"),
    "map_twice": (index(MAP)[:-1] + b',"weight_map":{}}', FORMAT, "/weight_map: occurs twice"),
    "map_empty": (index({}), FORMAT,
                  "/weight_map: expected at least one tensor, got an object of 0"),
    "map_is_null": (index(None), FORMAT, "/weight_map: expected an object, got null"),
    "map_is_an_array": (index([ONE, TWO]), FORMAT,
                        "/weight_map: expected an object, got an array of 2"),
    "map_is_text": (index(ONE), FORMAT, "/weight_map: expected an object, got \"one.safetensors\""),
    "map_reversed": (index({ONE: ["a", "b"], TWO: ["c"]}), FORMAT,
                     "/weight_map/one.safetensors: expected a string, got an array of 2"),
    "tensor_twice": (index(MAP).replace(b'"b"', b'"a"'), FORMAT, "/weight_map/a: occurs twice"),
    "tensor_twice_once_escaped": (index(MAP).replace(b'"b"', b'"\\u0061"'), FORMAT,
                                  "/weight_map/a: occurs twice"),
    # What a shard's name may be.
    "shard_is_a_number": (named(2), FORMAT, "/weight_map/c: expected a string, got 2"),
    "shard_is_null": (named(None), FORMAT, "/weight_map/c: expected a string, got null"),
    "shard_is_a_list": (named([TWO]), FORMAT,
                        "/weight_map/c: expected a string, got an array of 1"),
    "shard_is_empty": (named(""), FORMAT, "/weight_map/c: " + BARE + '""'),
    "shard_is_the_folder": (named("."), FORMAT, "/weight_map/c: " + BARE + '"."'),
    "shard_is_the_parent": (named(".."), FORMAT, "/weight_map/c: " + BARE + '".."'),
    "shard_in_the_parent": (named("../two.safetensors"), FORMAT, BARE + '"../two.safetensors"'),
    "shard_in_the_folder": (named("./two.safetensors"), FORMAT, BARE + '"./two.safetensors"'),
    "shard_there_and_back": (named("sub/../two.safetensors"), FORMAT,
                             BARE + '"sub/../two.safetensors"'),
    "shard_in_a_subfolder": (named("sub/two.safetensors"), FORMAT, BARE + '"sub/two.safetensors"'),
    "shard_absolute": (named("/etc/passwd"), FORMAT, BARE + '"/etc/passwd"'),
    "shard_with_slash_escaped": (named("/etc/passwd").replace(b"/", b"\\/"), FORMAT,
                                 BARE + '"/etc/passwd"'),
    "shard_with_slash_at_the_end": (named("two.safetensors/"), FORMAT, BARE + '"two.safetensors/"'),
    "shard_with_backslash": (named("..\\two.safetensors"), FORMAT,
                             BARE + '"..\\\\two.safetensors"'),
    "shard_with_nul": (named("two.safetensors\0.txt"), FORMAT,
                       BARE + '"two.safetensors\\u0000.txt"'),
    "shard_with_newline": (named("two\n.safetensors"), FORMAT, BARE + '"two\\n.safetensors"'),
    "shard_with_terminal_escape": (named("\x1b[2Jtwo.safetensors"), FORMAT,
                                   BARE + '"\\u001b[2Jtwo.safetensors"'),
    "shard_of_256_bytes": (named("n" * 256), FORMAT, "/weight_map/c: " + BARE + '"nnn'),
    "shard_is_a_url": (named("https://example.com/two.safetensors"), FORMAT, BARE + '"https:'),
    "shard_only_looks_like_a_slash": (named("..\u2215two.safetensors"), "io",
                                      "No such file or directory"),
    # What is there by that name.
    "shard_missing": (named("three.safetensors"), "io", "/three.safetensors: cannot open, though "),
    "shard_in_other_letters": (named("Two.safetensors"), "io",
                               "/Two.safetensors: cannot open, though "),
    "shard_of_255_bytes": (named("n" * 255), "io", "No such file or directory"),
    "shard_is_a_folder": (named("folder.safetensors"), "io",
                          "/folder.safetensors: is a directory"),
    "shard_is_a_pipe": (named("pipe.safetensors"), "io",
                        "/pipe.safetensors: is not a regular file"),
    "shard_is_a_dangling_link": (named("dangling.safetensors"), "io",
                                 "/dangling.safetensors: cannot open, though "),
    "shard_is_a_link_to_itself": (named("loop.safetensors"), "io", "symbolic links"),
    "shard_is_a_link_out": (named("out.safetensors"), FORMAT, "/out.safetensors: leads to "),
    "shard_is_a_link_to_a_link_out": (named("out_twice.safetensors"), FORMAT,
                                      "/out_twice.safetensors: leads to "),
    "shard_is_a_link_to_a_device": (named("null.safetensors"), FORMAT,
                                    "/null.safetensors: leads to \"/dev/null\""),
    "shard_is_empty_file": (named("empty.safetensors"), FORMAT,
                            "/empty.safetensors: 0 bytes are too few"),
    "shard_is_cut": (named("cut.safetensors"), FORMAT, "is the file cut short?"),
    "shard_is_the_index": (named("model.safetensors.index.json"), FORMAT,
                           "/model.safetensors.index.json: byte 0: a header of "),
    # What the shards hold.
    "tensor_that_no_shard_has": (
        index({**MAP, "d": TWO}), FORMAT,
        '"two.safetensors" lacks "d"'),
    "tensor_in_another_shard": (
        index({**MAP, "b": TWO}), FORMAT,
        '"one.safetensors" has what it does not put there: "b"'),
    "tensors_exchanged": (
        index({"a": TWO, "b": ONE, "c": ONE}), FORMAT,
        '"two.safetensors" has what it does not put there: "c"'),
    "tensor_not_listed": (
        index({"a": ONE, "c": TWO}), FORMAT,
        '"one.safetensors" has what it does not put there: "b"'),
    "tensor_in_two_shards": (
        index({"a": ONE, "b": ONE, "a2": "again.safetensors"}), FORMAT,
        '"again.safetensors" has what it does not put there: "a"'),
    "tensor_name_in_other_letters": (
        index({"a": ONE, "B": ONE, "c": TWO}), FORMAT,
        '"one.safetensors" lacks "B"'),
    "tensor_name_with_nul": (index({"a": ONE, "b\0": ONE, "c": TWO}), FORMAT,
                             '"one.safetensors" lacks "b\\u0000"'),
    "shard_listed_under_two_names": (
        index({**MAP, "c": "link.safetensors", "c2": TWO}), FORMAT,
        '"two.safetensors" has what it does not put there: "c"'),
}

if __name__ == "__main__":
    write("safetensors", ".safetensors", safetensors_cases)
    write("json", ".json", json_cases)
    write("index", ".json", index_cases)
