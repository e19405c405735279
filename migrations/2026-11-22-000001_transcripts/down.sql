DROP TABLE begun;
DROP TABLE messages; DROP TABLE passages; DROP TABLE conversations;
