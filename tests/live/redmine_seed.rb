# What the live tests need of a Redmine, and no API can make. Run by: rails runner redmine_seed.rb
Redmine::DefaultData::Loader.load('en') # roles, trackers, statuses, priorities
{ rest_api_enabled: '1', login_required: '1', default_language: 'en', notified_events: [],
  default_projects_public: '0', default_projects_modules: %w[issue_tracking time_tracking wiki],
  sequential_project_identifiers: '0' }.each { |name, value| Setting[name] = value }

give_key = lambda do |user, value|
  Token.where(user_id: user.id, action: 'api').delete_all
  Token.create!(user: user, action: 'api').update_columns(value: value)
end

admin = User.find_by_login('admin')
admin.must_change_passwd = false # else every call of the API is answered with 403
admin.password = admin.password_confirmation = 'admin-pass-1'
admin.save!
give_key.call(admin, ENV.fetch('RM_KEY'))

people = [%w[ana Ana Álvarez], %w[bo Bo Okafor], %w[sync Sync Robot]].to_h do |login, first, last|
  user = User.new(firstname: first, lastname: last, mail: "#{login}@example.invalid",
                  language: 'en', status: 1)
  user.login = login
  user.password = user.password_confirmation = "#{login}-pass-1"
  user.save!
  [login, user]
end
give_key.call(people['sync'], ENV.fetch('RM_ROBOT_KEY'))

# A role that may make projects, held in one project: the rights of an account that is no admin.
role = Role.create!(name: 'Connector', permissions: %i[
                      view_project add_project edit_project close_project delete_project
                      manage_members manage_versions view_issues add_issues edit_issues
                      delete_issues view_time_entries
                    ])
Setting.new_project_user_role_id = role.id
home = Project.new(name: 'Sales', is_public: false)
home.identifier = 'sales'
home.save!
Member.create!(project: home, principal: people['sync'], roles: [role])

for_all = { is_for_all: true, is_filter: true, visible: true }
ProjectCustomField.create!(name: 'Deal key', field_format: 'string', searchable: true, **for_all)
ProjectCustomField.create!(name: 'Win probability', field_format: 'int', min_length: nil, **for_all)
ProjectCustomField.create!(name: 'Stage', field_format: 'list',
                           possible_values: %w[tentative Proposal Won Lost], **for_all)
IssueCustomField.create!(name: 'Deal key', field_format: 'string', searchable: true,
                         trackers: Tracker.where.not(name: 'Support').to_a, **for_all)
