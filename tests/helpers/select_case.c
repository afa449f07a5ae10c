/* Linked into every test program: where TEST_CASE is set, only the cases run whose name contains it (`make test
 * T=file:case`). It may hold cmocka's wildcards * and ?. */
#include "helpers/test_helpers.h"

__attribute__((constructor)) static void select_case(void)
{
    static char pattern[256]; /* cmocka keeps the pointer */
    const char *part = getenv("TEST_CASE");
    if (!part || !*part) return;
    snprintf(pattern, sizeof pattern, "*%s*", part);
    cmocka_set_test_filter(pattern);
}
