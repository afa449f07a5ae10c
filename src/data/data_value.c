#include "data/data_value.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text_line.h"
#include "data/lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int data_value_find(const char *data_file, const char *key, data_value *value)
{
    char *buffer = 0, *line;
    size_t size = 0, length = strlen(key);
    int number = 0, status = 0;
    FILE *file;
    memset(value, 0, sizeof *value);
    if (check_file("data file", data_file)) return 1;
    file = fopen(data_file, "r");
    if (!file) return report_error("cannot read the data file %s: %s", data_file, strerror(errno));
    while (!value->text && !status && (line = next_line(file, &buffer, &size))) {
        ++number;
        strip_cfg_line(line);
        if (strncmp(line, key, length) || (line[length] && line[length] != '=')) continue;
        if (!line[length] || !line[length + 1]) {
            status = report_error("%s:%d: %s= has no value", data_file, number, key);
        } else {
            value->text = xstrdup(line + length + 1);
            value->line = number;
        }
    }
    free(buffer);
    fclose(file);
    return status;
}

/* data_value_find for a number, behind which a comment may stand. */
static int find_number(const char *data_file, const char *key, data_value *value)
{
    const int status = data_value_find(data_file, key, value);
    if (value->text) value->text[strcspn(value->text, "#;")] = 0;
    return status;
}

int data_value_number(const char *data_file, const char *key, double low, double high, double *number)
{
    data_value value;
    int status = find_number(data_file, key, &value);
    if (!status && value.text && parse_number(value.text, low, high, number))
        status = report_error("%s:%d: %s=%s is not valid: must be a number from %g to %g", data_file, value.line, key,
                              value.text, low, high);
    free(value.text);
    return status;
}

int data_value_whole_number(const char *data_file, const char *key, long long low, long long high, long long *number)
{
    data_value value;
    int status = find_number(data_file, key, &value);
    if (!status && value.text && parse_whole_number(value.text, low, high, number))
        status = report_error("%s:%d: %s=%s is not valid: must be a whole number from %lld to %lld", data_file,
                              value.line, key, value.text, low, high);
    free(value.text);
    return status;
}

int data_value_word(const char *data_file, const char *key, const char *const *words, int *which)
{
    data_value value;
    char allowed[256] = "";
    int i, status = data_value_find(data_file, key, &value);
    if (status || !value.text) return status;
    for (i = 0; words[i] && strcmp(words[i], value.text); ++i) {
        const size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", used ? " or " : "", words[i]);
    }
    if (words[i])
        *which = i;
    else
        status = report_error("%s:%d: %s=%s is not valid: must be %s", data_file, value.line, key, value.text, allowed);
    free(value.text);
    return status;
}
