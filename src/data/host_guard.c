#include "data/host_guard.h"

#include "base/error.h"

#include <limits.h>
#include <stdarg.h>

#undef fprintf
#undef sprintf
#undef snprintf
#undef strncpy
#undef strcat

static void refuse(const char *text, size_t size)
{
    die("a path or a name is too long: Darknet has room for %zu characters, and this has more: %.60s...", size - 1,
        text);
}

int guarded_print(char *buffer, size_t size, const char *format, ...)
{
    const size_t room = size > INT_MAX ? INT_MAX : size; /* more is an error to vsnprintf */
    va_list values;
    int length;
    va_start(values, format);
    length = vsnprintf(buffer, room, format, values);
    va_end(values);
    if (length >= 0 && (size_t)length >= room) refuse(buffer, size);
    return length;
}

char *guarded_copy(char *buffer, const char *text, size_t size)
{
    if (strlen(text) >= size) refuse(text, size);
    return strcpy(buffer, text);
}

char *guarded_append(char *buffer, size_t size, const char *text)
{
    if (size != (size_t)-1 && strlen(buffer) + strlen(text) >= size) refuse(buffer, size);
    return strcat(buffer, text);
}

int watched_print(FILE *file, const char *format, ...)
{
    const size_t length = strlen(format);
    va_list values;
    int written;
    va_start(values, format);
    written = vfprintf(file, format, values);
    va_end(values);
    if (file == stderr && length) note_open_line(format[length - 1] != '\n');
    return written;
}

void host_error(const char *text)
{
    die("%.*s", (int)strcspn(text, "\n"), text);
}

void host_assertion_failed(const char *condition, const char *file, unsigned int line, const char *function)
{
    const char *name = strrchr(file, '/');
    die("%s (%s, line %u) needs %s: look at the sizes in the cfg", function, name ? name + 1 : file, line, condition);
}
