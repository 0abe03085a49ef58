# SPDX-License-Identifier: BSD-2-Clause
"""Prints how many test cases of a JUnit file passed, failed (or erred) and were skipped."""

import sys
import xml.etree.ElementTree as ET


def main(path: str) -> None:
    passed = failed = skipped = 0
    for case in ET.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" in kinds:
            skipped += 1
        else:
            passed += 1
    print(passed, failed, skipped)


if __name__ == "__main__":
    main(sys.argv[1])
