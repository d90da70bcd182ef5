#!/usr/bin/env python3
"""Writes codebook_data.h: the grids of the IQ types, out of the gguf package's tables.

An entry is written as one number, each of its 8 (or 4) values as an index into the few values that the grid uses:
2 bits (or 3) each, the first value lowest. codebooks.cpp spreads them over bytes.

Usage: make_codebooks.py > codebook_data.h   (needs gguf and numpy)
"""
from gguf import GGMLQuantizationType as T
from gguf.quants import _type_traits

GRIDS = (("kPackedIq2Xxs", T.IQ2_XXS, 2), ("kPackedIq2Xs", T.IQ2_XS, 2), ("kPackedIq2S", T.IQ2_S, 2),
         ("kPackedIq3Xxs", T.IQ3_XXS, 3), ("kPackedIq3S", T.IQ3_S, 3), ("kPackedIq1", T.IQ1_S, 2))


def main():
    print("// Made by make_codebooks.py with the gguf package; do not edit. Included by codebooks.cpp only.")
    print("#pragma once\n\n#include <cstdint>\n\nnamespace paluku {")
    print("// clang-format off")
    for name, qtype, bits in GRIDS:
        traits = _type_traits[qtype]
        traits.init_grid()
        index = {value: i for i, value in enumerate(traits.grid_map)}
        entries = [sum(index[v] << (bits * j) for j, v in enumerate(row))
                   for row in traits.grid.reshape(traits.grid_shape).tolist()]
        print(f"inline constexpr std::uint16_t {name}[{len(entries)}] = {{")
        for at in range(0, len(entries), 12):
            print("    " + " ".join(f"0x{e:04x}," for e in entries[at:at + 12]))
        print("};")
    print("// clang-format on\n}  // namespace paluku")


if __name__ == "__main__":
    main()
