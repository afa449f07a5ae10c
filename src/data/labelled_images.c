#include "data/labelled_images.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/data_value.h"
#include "data/label_noise.h"
#include "data/lists.h"
#include "data/permutation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BY_SUBSTRING, BY_FOLDER, BY_LIST }; /* BY_FOLDER - 1 is its place in the words */
static const char *const truth_words[] = {"folder", "list", 0};

/* What the labels of a list are read with. */
typedef struct {
    int truth;
    char *list, *labels_file, *names_file; /* names_file NULL: no names= */
    text_lines labels, names;              /* `classes` lines each */
    class_names classes;
} label_source;

static void free_source(label_source *source)
{
    free_lines(&source->labels);
    free_lines(&source->names);
    class_names_free(&source->classes);
    free(source->list);
    free(source->labels_file);
    free(source->names_file);
}

/* The first `classes` lines of a file; it must have as many. */
static int read_names(const char *data_file, const char *what, const char *path, int classes, text_lines *lines)
{
    if (read_lines(what, path, lines)) return 1;
    if (lines->count < classes)
        return report_error("%s has %d lines, but %s says classes=%d", path, lines->count, data_file, classes);
    while (lines->count > classes) free(lines->text[--lines->count]);
    return 0;
}

static int read_source(const char *data_file, const char *key, int classes, label_source *source)
{
    data_value list, labels, names;
    int word = -1;
    if (data_value_word(data_file, "truth", truth_words, &word)) return 1;
    source->truth = word + 1;
    if (data_value_find(data_file, key, &list)) return 1;
    source->list = list.text;
    if (!list.text) return report_error("%s has no %s=", data_file, key);
    if (data_value_find(data_file, "labels", &labels)) return 1;
    source->labels_file = labels.text;
    if (data_value_find(data_file, "names", &names)) return 1;
    source->names_file = names.text;
    if (!source->labels_file) source->labels_file = xstrdup(names.text ? names.text : "data/labels.list");
    if (read_names(data_file, "list of labels", source->labels_file, classes, &source->labels)) return 1;
    if (names.text && read_names(data_file, "list of names", names.text, classes, &source->names)) return 1;
    class_names_make(&source->classes, source->labels.text, source->labels_file, source->names.text, source->names_file,
                     classes);
    return 0;
}

/* ---- Darknet's rule ---------------------------------------------------------------------------------------------- */

/* The one of `labels` that the path holds: -1 for none, -2 for several. */
static int find_substring(const char *path, char **labels, int classes)
{
    int i, found = -1;
    for (i = 0; i < classes; ++i) {
        if (!strstr(path, labels[i])) continue;
        if (found >= 0) return -2;
        found = i;
    }
    return found;
}

static void report_substrings(const label_source *source, const char *path, int line, problems *list)
{
    char found[512] = "";
    int i, count = 0;
    for (i = 0; i < source->labels.count; ++i) {
        const size_t used = strlen(found);
        if (!strstr(path, source->labels.text[i])) continue;
        snprintf(found + used, sizeof found - used, "%s%s", count++ ? ", " : "", source->labels.text[i]);
    }
    if (!count)
        add_problem(list,
                    "%s:%d: %s holds none of the labels in %s (truth=folder or truth=list say where else the label is)",
                    source->list, line, path, source->labels_file);
    else
        add_problem(list, "%s:%d: %s holds %d of the labels in %s: %s (truth=folder or truth=list say exactly which)",
                    source->list, line, path, count, source->labels_file, found);
}

static void label_by_substring(const label_source *source, labelled_images *images, problems *list)
{
    int i;
    /* Images times classes searches: seconds for a large set, so that all processors take part. */
#pragma omp parallel for
    for (i = 0; i < images->count; ++i)
        images->labels[i] = find_substring(images->paths[i], source->labels.text, images->classes);
    for (i = 0; i < images->count; ++i) {
        if (images->labels[i] >= 0 || (images->labels[i] == -1 && images->classes == 1)) continue;
        report_substrings(source, images->paths[i], i + 1, list);
    }
}

/* ---- Exact labels ------------------------------------------------------------------------------------------------ */

/* The name of the folder that a file lies in, in `folder` (as long as the path at least); 0 where the path has none. */
static int parent_folder(const char *path, char *folder)
{
    const char *end = strrchr(path, '/'), *start;
    while (end && end > path && end[-1] == '/') --end;
    if (!end || end == path) return 0;
    for (start = end; start > path && start[-1] != '/'; --start) continue;
    memcpy(folder, start, end - start);
    folder[end - start] = 0;
    return 1;
}

static void label_by_folder(const label_source *source, labelled_images *images, problems *list)
{
    int i;
    for (i = 0; i < images->count; ++i) {
        const char *path = images->paths[i];
        char *folder = (char *)xmalloc(strlen(path) + 1);
        if (!parent_folder(path, folder))
            add_problem(list, "%s:%d: %s lies in no folder whose name could be its label", source->list, i + 1, path);
        else
            class_names_find(&source->classes, folder, 0, source->list, i + 1, images->labels + i, list);
        free(folder);
    }
}

static void label_by_list(const label_source *source, labelled_images *images, problems *list)
{
    int i;
    for (i = 0; i < images->count; ++i) {
        char *tab = strchr(images->paths[i], '\t');
        if (!tab || tab == images->paths[i]) {
            add_problem(list, "%s:%d: with truth=list a line is path<TAB>label, and this one is not", source->list,
                        i + 1);
            continue;
        }
        *tab = 0;
        class_names_find(&source->classes, tab + 1, 1, source->list, i + 1, images->labels + i, list);
    }
}

/* ---- A whole list ------------------------------------------------------------------------------------------------ */

static int read_images(const char *data_file, const char *key, label_source *source, int with_noise,
                       labelled_images *images, problems *list)
{
    static void (*const rules[])(const label_source *, labelled_images *,
                                 problems *) = {label_by_substring, label_by_folder, label_by_list};
    const size_t before = list->count;
    const int most = 1000000;
    long long classes = 2;
    text_lines lines = {0}, *names = &source->names;
    if (data_value_whole_number(data_file, "classes", 1, most, &classes)) return add_printed_problem(list);
    images->classes = (int)classes;
    if (read_source(data_file, key, images->classes, source)) return add_printed_problem(list);
    collect_lines("list of images", source->list, &lines, list);
    images->paths = lines.text;
    images->count = lines.count;
    if (list->count > before) return 1;
    images->labels = (int *)xcalloc(images->count, sizeof *images->labels);
    rules[source->truth](source, images, list);
    if (list->count > before) return 1;
    images->clean_labels = (int *)xmalloc(images->count * sizeof *images->clean_labels);
    memcpy(images->clean_labels, images->labels, images->count * sizeof *images->clean_labels);
    if (with_noise && add_label_noise(data_file, &source->classes, images->paths, images->count, images->labels))
        return add_printed_problem(list);
    if (!names->count) names = &source->labels;
    images->names = names->text;
    memset(names, 0, sizeof *names);
    return 0;
}

static void collect(const char *data_file, const char *key, int with_noise, labelled_images *images, problems *list)
{
    label_source source;
    memset(&source, 0, sizeof source);
    memset(images, 0, sizeof *images);
    read_images(data_file, key, &source, with_noise, images, list);
    free_source(&source);
}

void labelled_images_collect(const char *data_file, const char *key, labelled_images *images, problems *list)
{
    collect(data_file, key, 0, images, list);
}

int labelled_images_read(const char *data_file, const char *key, labelled_images *images)
{
    problems list = {{0}, 0, 0, 0};
    collect(data_file, key, !strcmp(key, "train"), images, &list);
    return end_problems(&list);
}

void labelled_images_free(labelled_images *images)
{
    int i;
    for (i = 0; i < images->count; ++i) free(images->paths[i]);
    for (i = 0; images->names && i < images->classes; ++i) free(images->names[i]);
    free(images->paths);
    free(images->labels);
    free(images->clean_labels);
    free(images->names);
    memset(images, 0, sizeof *images);
}

int count_changed_labels(const labelled_images *images)
{
    int i, count = 0;
    for (i = 0; i < images->count; ++i) count += images->labels[i] != images->clean_labels[i];
    return count;
}

void keep_changed_images(labelled_images *images, int most, uint64_t seed)
{
    int *order = (int *)xmalloc(images->count * sizeof *order);
    char *keeps = (char *)xcalloc(images->count, 1); /* by image */
    int i, changed = 0, kept = 0;
    for (i = 0; i < images->count; ++i)
        if (images->labels[i] != images->clean_labels[i]) order[changed++] = i;
    for (i = 0; i < changed; ++i) keeps[order[i]] = 1;
    if (changed > most) {
        int *places = (int *)xmalloc(changed * sizeof *places); /* in `order`: the first `most` stay */
        random_order(&seed, places, changed, most);
        for (i = most; i < changed; ++i) keeps[order[places[i]]] = 0;
        free(places);
    }
    for (i = 0; i < images->count; ++i) {
        if (!keeps[i]) {
            free(images->paths[i]);
            continue;
        }
        images->paths[kept] = images->paths[i];
        images->labels[kept] = images->labels[i];
        images->clean_labels[kept++] = images->clean_labels[i];
    }
    images->count = kept;
    free(keeps);
    free(order);
}
