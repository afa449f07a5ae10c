#include "base/text_line.h"

#include <string.h>

/* Removes the byte-order mark, and characters of `ends` at the end. */
static void strip_ends(char *line, const char *ends)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t skipped = strncmp(line, mark, sizeof mark - 1) ? 0 : sizeof mark - 1;
    size_t length = strlen(line);
    while (length > skipped && strchr(ends, line[length - 1])) --length;
    line[length] = 0;
    if (skipped) memmove(line, line + skipped, length - skipped + 1);
}

void strip_line_end(char *line)
{
    strip_ends(line, "\r\n");
}

void strip_line(char *line)
{
    strip_ends(line, " \t\r\n");
}

void strip_cfg_line(char *line)
{
    static const char blanks[] = " \t\r\n";
    char *to = line, before = ' ';
    for (; *line && !(strchr("#;", *line) && strchr(blanks, before)); before = *line++)
        if (!strchr(blanks, *line)) *to++ = *line;
    *to = 0;
}
