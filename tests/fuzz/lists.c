/* A list of images, names or labels. A line has no line end in it and no blank at its end, and none is empty where that
 * is an error; what is written from them is read as the same lines. Names are found: each of its own class, or several
 * are said to have it. */
#include "fuzz.h"

#include "data/class_names.h"
#include "data/lists.h"

#include <string.h>

static void check_written(const text_lines *lines)
{
    text_lines again;
    char *text = 0;
    size_t length = 0;
    int i;
    FILE *file = open_memstream(&text, &length);
    /* A line may begin with a second byte-order mark; this one is not stripped. */
    for (i = 0; i < lines->count; ++i) fprintf(file, "\xef\xbb\xbf%s\r\n", lines->text[i]);
    fclose(file);
    MUST(!read_lines("list", fuzz_file((uint8_t *)text, length), &again) && again.count == lines->count);
    for (i = 0; i < again.count; ++i) MUST(!strcmp(again.text[i], lines->text[i]));
    free_lines(&again);
    free(text);
}

static void check_names(text_lines *lines)
{
    class_names classes;
    int i, found;
    class_names_make(&classes, lines->text, "labels", 0, 0, lines->count);
    for (i = 0; i < lines->count && i < 40; ++i) {
        problems list = {0};
        if (!class_names_find(&classes, lines->text[i], 1, "list", i + 1, &found, &list)) MUST(found == i);
        drop_problems(&list);
    }
    class_names_free(&classes);
}

void fuzz(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    problems list = {0};
    text_lines lines;
    int i;
    const int wrong = collect_lines("list", path, &lines, &list);
    MUST(wrong == (list.count > 0));
    end_problems(&list);
    for (i = 0; i < lines.count; ++i) {
        const size_t length = strlen(lines.text[i]);
        MUST(length ? !strchr(" \t\r\n", lines.text[i][length - 1]) : wrong);
    }
    if (!wrong) {
        check_written(&lines);
        check_names(&lines);
    }
    free_lines(&lines);
}
