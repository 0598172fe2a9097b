/*
 * What glibc looks up in this library: these names and no others
 * (libnss_vmail.map is the other half of the rule).
 */
#ifndef VMAIL_NSS_EXPORTS_H
#define VMAIL_NSS_EXPORTS_H

#include <grp.h>
#include <nss.h>
#include <pwd.h>

#pragma GCC visibility push(default)

enum nss_status _nss_vmail_getpwnam_r(
    const char *name, struct passwd *pw, char *buf, size_t size, int *errnop);
enum nss_status _nss_vmail_getpwuid_r(
    uid_t uid, struct passwd *pw, char *buf, size_t size, int *errnop);
enum nss_status _nss_vmail_setpwent(int stay_open);
enum nss_status _nss_vmail_getpwent_r(
    struct passwd *pw, char *buf, size_t size, int *errnop);
enum nss_status _nss_vmail_endpwent(void);

enum nss_status _nss_vmail_getgrnam_r(
    const char *name, struct group *gr, char *buf, size_t size, int *errnop);
enum nss_status _nss_vmail_getgrgid_r(
    gid_t gid, struct group *gr, char *buf, size_t size, int *errnop);
enum nss_status _nss_vmail_setgrent(int stay_open);
enum nss_status _nss_vmail_getgrent_r(
    struct group *gr, char *buf, size_t size, int *errnop);
enum nss_status _nss_vmail_endgrent(void);
enum nss_status _nss_vmail_initgroups_dyn(const char *user, gid_t group,
    long *start, long *size, gid_t **groups, long limit, int *errnop);

#pragma GCC visibility pop

#endif
