/*
 * A module that stands in front of pam_vmail.so and hands it a password, as
 * pam_pwquality and friends do. Its argument is the password.
 */
#include <security/pam_modules.h>

int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return argc == 1 ? pam_set_item(pamh, PAM_AUTHTOK, argv[0])
			 : PAM_SERVICE_ERR;
}

int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	if ((unsigned)flags & PAM_PRELIM_CHECK)
		return PAM_SUCCESS;
	return pam_sm_authenticate(pamh, flags, argc, argv);
}
