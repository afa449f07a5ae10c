#include "commands/file_kind.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- What a file is ---------------------------------------------------------------------------------------------- */

/* Text from `bytes`, behind a byte-order mark: by its first line that is neither blank nor a comment. */
static file_kind kind_of_text(char *text)
{
    char *line, *rest = text;
    if (!strncmp(rest, "\xef\xbb\xbf", 3)) rest += 3;
    while ((line = strsep(&rest, "\n"))) {
        line += strspn(line, " \t\r");
        if (!*line || *line == '#' || *line == ';') continue;
        return *line == '[' ? FILE_CFG : strchr(line, '=') ? FILE_DATA : FILE_TEXT;
    }
    return FILE_UNKNOWN;
}

static int is_image(const char *bytes)
{
    static const char *const beginnings[] = {"\xff\xd8\xff", "\x89PNG", "GIF8", "BM"};
    size_t i;
    for (i = 0; i < sizeof beginnings / sizeof *beginnings; ++i)
        if (!strncmp(bytes, beginnings[i], strlen(beginnings[i]))) return 1;
    return 0;
}

file_kind file_kind_of(const char *path)
{
    char bytes[4096 + 1];
    struct stat status;
    FILE *file;
    size_t length;
    if (stat(path, &status)) return FILE_UNKNOWN;
    if (S_ISDIR(status.st_mode)) return FILE_FOLDER;
    if (!S_ISREG(status.st_mode) || !(file = fopen(path, "rb"))) return FILE_UNKNOWN;
    length = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    bytes[length] = 0;
    if (strlen(bytes) == length) return kind_of_text(bytes);
    return is_image(bytes) ? FILE_IMAGE : FILE_BINARY;
}

/* ---- What a place asks for --------------------------------------------------------------------------------------- */

static const struct {
    const char *name; /* what a place is called: <data>, [weights], <in.cfg> */
    file_kind kind;
    const char *what;
} places_by_name[] = {
    {"data", FILE_DATA, "a .data file"},
    {"cfg", FILE_CFG, "a cfg"},
    {"weights", FILE_BINARY, "weights"},
};
enum { PLACES = sizeof places_by_name / sizeof *places_by_name };

static const char *what_it_is(file_kind kind)
{
    int i;
    if (kind == FILE_FOLDER) return "a folder";
    if (kind == FILE_IMAGE) return "an image";
    if (kind == FILE_TEXT) return "text of another kind";
    for (i = 0; places_by_name[i].kind != kind;) ++i;
    return places_by_name[i].what;
}

file_kind kind_of_place(const char *place)
{
    const char *name = place + strspn(place, "<[");
    const size_t length = strcspn(name, ">].");
    int i;
    if (!strncmp(name, "in.", 3)) return kind_of_place(name + 3);
    for (i = 0; i < PLACES; ++i)
        if (length == strlen(places_by_name[i].name) && !strncmp(name, places_by_name[i].name, length))
            return places_by_name[i].kind;
    return FILE_UNKNOWN;
}

/* ---- The command line -------------------------------------------------------------------------------------------- */

/* Ends the program where the file at words[i] is of another kind than `wanted`. */
static void check_file_kind(const char *command, const char *place, int length, const char *const *words, int i,
                            int word_count)
{
    const file_kind wanted = kind_of_place(place), is = wanted ? file_kind_of(words[i]) : FILE_UNKNOWN;
    if (!is || is == wanted) return;
    if (wanted == FILE_DATA && is == FILE_CFG && i + 1 < word_count && file_kind_of(words[i + 1]) == FILE_DATA)
        die("%s: %s is a cfg, and %s a .data file: the .data file comes first", command, words[i], words[i + 1]);
    die("%s: %s is %s, in the place of %.*s (see darknet %s --help)", command, words[i], what_it_is(is), length, place,
        command);
}

int is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return !stat(a, &first) && !stat(b, &second) && S_ISREG(first.st_mode) && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* Ends the program where words[i], a file that the command writes, is another of the words, too. */
static void check_output(const char *command, const char *place, int length, const char *const *words, int i,
                         int word_count)
{
    int k;
    for (k = 0; k < word_count; ++k)
        if (k != i && is_same_file(words[i], words[k]))
            die("%s: %s would be overwritten: give %.*s another name", command, words[k], length, place);
}

/* Empty weights are none to Darknet: a network with random weights is a way to try a command. But a training would
 * silently begin from nothing. */
static void check_not_empty(const char *command, const char *place, const char *word)
{
    const size_t length = strlen(command), train = strlen("train");
    const int trains = length >= train && !strcmp(command + length - train, "train");
    if (!*word && (trains || kind_of_place(place) != FILE_BINARY))
        die("%s: an argument is empty: was a variable of the shell not set?", command);
}

void check_file_kinds(const char *command, const char *places, const char *const *words, int word_count)
{
    const char *place = places;
    int i;
    for (i = 0; i < word_count; ++i) {
        const size_t length = strcspn(place, " ,");
        const int repeats = length > 3 && !strncmp(place + length - 3, "...", 3); /* up to the one place behind it */
        check_not_empty(command, place, words[i]);
        check_file_kind(command, place, (int)length, words, i, word_count);
        if (!strncmp(place + 1, "out.", 4)) check_output(command, place, (int)length, words, i, word_count);
        if (place[length] == ' ' && (!repeats || i + 2 >= word_count)) place += length + 1;
    }
}
