"""The configuration of a test's Dovecot: 2.4 reads another language than 2.3, so there is one template for each."""

from string import Template

VERSION_2_3 = Template("""
base_dir = $folder/run
state_dir = $folder/state
log_path = $folder/dovecot.log
protocols = imap
listen = $listen
ssl = required
ssl_cert = <$chain
ssl_key = <$key
disable_plaintext_auth = yes
auth_mechanisms = $mechanisms
auth_verbose = yes
auth_failure_delay = $failure_delay
mail_location = maildir:~/mail:INDEX=MEMORY
mail_max_userip_connections = $maximum_connections
mailbox_list_index = no
first_valid_uid = 1
default_client_limit = 20000
default_process_limit = 2000
$tokens
passdb {
  driver = passwd-file
  mechanisms = $passwords
  args = scheme=PLAIN username_format=%u $folder/users
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$folder/homes/%d/%n allow_all_users=yes
}
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    port = $imap_port
  }
  inet_listener imaps {
    port = $imaps_port
    ssl = yes
  }
  $login_processes
}
service imap {
  process_limit = 2000
  $imap_processes
}
service auth {
  unix_listener $sasl_socket {
    mode = 0666
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
event_exporter log {
  format = json
  format_args = time-unix
  transport = log
}
metric logins {
  exporter = log
  filter = event=auth_request_finished
}
$penalty
$rootless
""")

VERSION_2_4 = Template("""
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = $folder/run
state_dir = $folder/state
log_path = $folder/dovecot.log
protocols = imap
listen = $listen
ssl = required
ssl_server_cert_file = $chain
ssl_server_key_file = $key
auth_allow_cleartext = no
auth_mechanisms = $mechanisms
auth_verbose = yes
auth_failure_delay = $failure_delay
mail_driver = maildir
mail_path = ~/mail
mail_index_path = MEMORY
mail_max_userip_connections = $maximum_connections
mailbox_list_index = no
first_valid_uid = 1
default_client_limit = 20000
default_process_limit = 2000
$tokens
passdb passwd-file {
  default_password_scheme = PLAIN
  auth_username_format = %{user}
  passwd_file_path = $folder/users
}
userdb static {
  userdb_static_allow_all_users = yes
  fields {
    uid = $uid
    gid = $gid
    home = $folder/homes/%{user|domain}/%{user|username}
  }
}
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    port = $imap_port
  }
  inet_listener imaps {
    port = $imaps_port
    ssl = yes
  }
  $login_processes
}
service imap {
  process_limit = 2000
  $imap_processes
}
service auth {
  unix_listener $sasl_socket {
    mode = 0666
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
event_exporter log {
  driver = log
  format = json
  time_format = unix
}
metric logins {
  exporter = log
  filter = event=auth_request_finished
}
$penalty
$rootless
""")

TOKENS_2_3 = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf.ext
}}
"""

OAUTH2_2_3 = """
introspection_mode = post
introspection_url = {url}
username_attribute = username
active_attribute = active
active_value = true
"""

TOKENS_2_4 = """
oauth2 {{
  oauth2_introspection_mode = post
  oauth2_introspection_url = {url}
  oauth2_username_attribute = username
  oauth2_active_attribute = active
  oauth2_active_value = true
}}
"""

NO_PENALTY = """
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""

ROOTLESS = """
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
service stats {{
  chroot =
}}
"""
