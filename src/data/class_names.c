#include "data/class_names.h"

#include "base/memory.h"
#include "base/numbers.h"

#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    const class_name *x = (const class_name *)a, *y = (const class_name *)b;
    const int order = strcmp(x->text, y->text);
    return order ? order : x->class_id - y->class_id;
}

static class_name *sorted(char **texts, int count)
{
    class_name *names = (class_name *)xmalloc(count * sizeof *names);
    int i;
    for (i = 0; i < count; ++i) {
        names[i].text = texts[i];
        names[i].class_id = i;
    }
    qsort(names, count, sizeof *names, by_text);
    return names;
}

void class_names_make(class_names *classes, char **labels, const char *labels_file, char **names,
                      const char *names_file, int count)
{
    classes->labels = sorted(labels, count);
    classes->names = names ? sorted(names, count) : 0;
    classes->classes = count;
    classes->labels_file = labels_file;
    classes->names_file = names_file;
}

void class_names_free(class_names *classes)
{
    free(classes->labels);
    free(classes->names);
    memset(classes, 0, sizeof *classes);
}

/* The first one of this text, or NULL. */
static const class_name *find(const class_name *names, int count, const char *text)
{
    int low = 0, high = count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (strcmp(names[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && !strcmp(names[low].text, text) ? names + low : 0;
}

int class_names_find(const class_names *classes, const char *text, int numbers, const char *file, int line,
                     int *class_id, problems *list)
{
    const class_name *names = classes->labels, *found = find(names, classes->classes, text);
    const char *names_file = classes->labels_file;
    long long number;
    if (!found && classes->names) {
        names = classes->names;
        names_file = classes->names_file;
        found = find(names, classes->classes, text);
    }
    if (found) {
        if (found + 1 < names + classes->classes && !strcmp(found[1].text, text))
            return add_problem(list, "%s:%d: the label \"%s\" stands for several classes: lines %d and %d of %s", file,
                               line, text, found->class_id + 1, found[1].class_id + 1, names_file);
        *class_id = found->class_id;
        return 0;
    }
    if (numbers && !parse_whole_number(text, 0, classes->classes - 1, &number)) {
        *class_id = (int)number;
        return 0;
    }
    if (numbers)
        return add_problem(list, "%s:%d: unknown label \"%s\": must be a line of %s or a number from 0 to %d", file,
                           line, text, names_file, classes->classes - 1);
    return add_problem(list, "%s:%d: unknown label \"%s\": must be a line of %s", file, line, text, names_file);
}
