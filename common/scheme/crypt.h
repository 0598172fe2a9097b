/*
 * The crypt(3) family, through libxcrypt's crypt_rn: everything libxcrypt
 * knows is verified; SHA512-CRYPT, SHA256-CRYPT, BLF-CRYPT and yescrypt (as
 * CRYPT) are made.
 */
#ifndef VMAIL_SCHEME_CRYPT_H
#define VMAIL_SCHEME_CRYPT_H

#include "common/scheme/scheme.h"

/* crypt(3) takes no longer password. */
enum { VMAIL_CRYPT_PASSWORD_MAX = 511 };

extern const struct vmail_scheme vmail_scheme_sha512_crypt;
extern const struct vmail_scheme vmail_scheme_sha256_crypt;
extern const struct vmail_scheme vmail_scheme_blf_crypt;
extern const struct vmail_scheme vmail_scheme_crypt;
/* What CRYPT verifies and nobody should make: in no table, below all. */
extern const struct vmail_scheme vmail_scheme_old_crypt;

#endif
