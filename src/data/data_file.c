#include "data/data_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"

#include "option_list.h"

#include <stdlib.h>
#include <string.h>

void free_data_options(list *options)
{
    node *n;
    for (n = options->front; n; n = n->next) {
        kvp *pair = (kvp *)n->val;
        free(pair->key); /* the whole line; the value lies in it */
        free(pair);
    }
    free_list(options);
}

void valid_data_free(valid_data *data)
{
    free_lines(&data->names);
    free_lines(&data->images);
    free(data->names_file);
    data->names_file = 0;
}

int valid_data_read(const char *path, valid_data *data)
{
    const char *keys[] = {"valid", "names", "classes"};
    char *values[3];
    long long classes = 0;
    list *options;
    int i, status = 0;

    memset(data, 0, sizeof *data);
    if (check_file("data file", path)) return 1;
    options = read_data_cfg((char *)path);
    for (i = 0; i < 3 && !status; ++i) {
        values[i] = option_find_str(options, (char *)keys[i], 0);
        if (!values[i]) status = report_error("%s has no %s=", path, keys[i]);
    }
    if (!status && parse_whole_number(values[2], 1, 1000000, &classes))
        status = report_error("%s: classes=%s: must be a whole number, at least 1", path, values[2]);
    if (!status) {
        data->classes = (int)classes;
        data->names_file = xstrdup(values[1]);
    }
    if (!status) status = read_lines("list of names", values[1], &data->names);
    if (!status) status = read_lines("list of images", values[0], &data->images);
    free_data_options(options);
    return status;
}
