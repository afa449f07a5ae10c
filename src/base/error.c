/* Prints error messages and notes. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void print_line(const char *kind, const char *format, va_list arguments)
{
    fflush(stdout); /* keeps stdout and stderr in order where both go to one log */
    if (*format == '\n') {
        fputc('\n', stderr);
        ++format;
    }
    fprintf(stderr, "darknet: %s", kind);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
    exit(1);
}

int report_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
    return 1;
}

void report_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("note: ", format, arguments);
    va_end(arguments);
}
