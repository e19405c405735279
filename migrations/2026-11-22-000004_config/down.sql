DROP TABLE notes;
DROP TABLE settings;
DROP TABLE profiles;
