/* A .data file: its lines, and the values of the keys that have one. A value has no blank in it, and its line is one of
 * the file; numbers are in the ranges that were asked for. */
#include "fuzz.h"

#include "base/problems.h"
#include "data/data_check.h"
#include "data/data_value.h"
#include "data/label_noise.h"

#include <string.h>

void fuzz(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"train", "names", "sampling"};
    static const char *const words[] = {"folder", "list", 0};
    const char *path = fuzz_file(data, size);
    problems list = {0};
    size_t i, lines = 1;
    long long whole = -1;
    double number = -1;
    int which = -1;
    symmetric_noise noise;
    for (i = 0; i < size; ++i) lines += data[i] == '\n';
    check_data_lines(path, &list);
    end_problems(&list);
    for (i = 0; i < sizeof keys / sizeof *keys; ++i) {
        data_value value;
        if (data_value_find(path, keys[i], &value) || !value.text) continue;
        MUST(value.line >= 1 && value.line <= (int)lines && *value.text && !strpbrk(value.text, " \t\r\n"));
        free(value.text);
    }
    if (!data_value_whole_number(path, "classes", 1, 1000, &whole)) MUST(whole == -1 || (whole >= 1 && whole <= 1000));
    if (!data_value_number(path, "noise", 0, 1, &number)) MUST(number == -1 || (number >= 0 && number <= 1));
    if (!data_value_word(path, "truth", words, &which)) MUST(which >= -1 && which <= 1);
    if (!read_symmetric_noise(path, 10, &noise)) MUST(noise.share >= 0 && noise.share <= 1);
}
